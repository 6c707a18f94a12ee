"""Arrays from anywhere: whatever is wrong with a file is said, before memory is taken, and nothing in it runs."""

import gzip
import io
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from translate.data.array_limits import ArrayLimits
from translate.data.collection_finding import scan_collection
from translate.data.idx import read_idx
from translate.data.npz import count_samples, read_npz
from translate.errors import DatasetError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def header(*lengths, kind=8, axes=None):
    return struct.pack(f">4B{len(lengths)}I", 0, 0, kind, len(lengths) if axes is None else axes, *lengths)


SOUND = header(2, 3, 4) + IMAGES.tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_a_sound_idx_file(tmp_path, packed):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(SOUND) if packed else SOUND)
    assert np.array_equal(read_idx(path, axes=3), IMAGES)


IDX_ATTACKS = {
    "empty": (b"", "not an idx file"),
    "other magic": (b"\x01" + SOUND[1:], "not an idx file"),
    "floats": (header(2, 3, 4, kind=13) + bytes(96), "type 13"),
    "labels": (header(5) + bytes(5), "1 axes"),
    "cut in the header": (SOUND[:9], "within its header"),
    "cut short": (SOUND[:-1], "39 bytes where its header needs 40|ends after 23"),
    "goes on": (SOUND + b"\x00", "41 bytes where its header needs 40|goes on"),
    "nothing": (header(0, 3, 4), "holds nothing"),
    "wide": (header(1, 1, 20_000) + bytes(20_000), "the limit is 16384"),
    "promises 3 GB": (header(3_000_000, 10, 100) + bytes(40), "where its header needs|more than"),
    "promises more than there is": (header(2**32 - 1, 16384, 16384), "the limit is 4000000000"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("attack", IDX_ATTACKS)
def test_idx_attacks_are_refused_before_memory_is_taken(tmp_path, attack, packed):
    data, words = IDX_ATTACKS[attack]
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(data) if packed else data)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=words) as problem:
            read_idx(path, axes=3)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert str(path) in str(problem.value)


def test_a_gzip_bomb_is_read_no_further_than_its_header_states(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(SOUND + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="goes on"):
            read_idx(path, axes=3)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("where", [12, -6, -10], ids=["content", "length", "checksum"])
def test_damaged_gzip(tmp_path, where):
    data = bytearray(gzip.compress(SOUND))
    data[where] ^= 0xFF
    (tmp_path / "file").write_bytes(bytes(data))
    with pytest.raises(DatasetError):
        read_idx(tmp_path / "file", axes=3)
    (tmp_path / "file").write_bytes(gzip.compress(SOUND)[:-9])
    with pytest.raises(DatasetError, match=r"cut short|ends"):
        read_idx(tmp_path / "file", axes=3)


def test_labels_must_be_as_many_as_pictures(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(SOUND)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(header(3) + bytes(3))
    with pytest.raises(DatasetError, match="3 labels for 2 pictures"):
        scan_collection(tmp_path)


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match="not a file"):
        read_idx(tmp_path / "pipe", axes=3)


# --- npz


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def npy(array, header=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    data = file.getvalue()
    return data if header is None else header + data[128:]


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def lying(shape):
    """The header of another shape than the data have."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue()


def test_a_pickle_never_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bomb = np.array([Bomb()], dtype=object)
    zipped("a.npz", x=npy(IMAGES), y=npy(bomb))
    for members in ({"x": npy(bomb)}, {"x": npy(IMAGES), "y": npy(bomb)}, {"x": npy(IMAGES), "classes": npy(bomb)}):
        zipped("a.npz", **members)
        with pytest.raises(DatasetError, match="plain numbers"):
            read_npz(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()
    zipped("a.npz", x=npy(bomb))
    np.load("a.npz", allow_pickle=True)["x"]  # the broken control: the bomb is one
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"z": npy(IMAGES)}, "holds z, but no x"),
        ({"x": lying((3_000_000, 10, 100)) + bytes(40)}, "more than"),
        ({"x": lying((2, 3, 5)) + bytes(24)}, "where its header needs"),
        ({"x": lying((2, 3, 3)) + bytes(24)}, "where its header needs"),
        ({"x": lying((2**40, 2**40)) + bytes(24)}, "the limit is"),
        ({"x": b"no array"}, "not a sound"),
        ({"x": npy(IMAGES.astype(np.int64))}, "x is int64"),
        ({"x": npy(np.zeros((2, 3, 4, 2), np.uint8))}, "x is uint8"),
        ({"x": npy(np.zeros((0, 3, 4), np.uint8))}, "holds nothing"),
        ({"x": npy(np.zeros((2, 8)))[:-8]}, "where its header needs"),
        ({"x": npy(np.array([[0.0, np.nan]]))}, "not finite, the first is number 0"),
        ({"x": npy(np.array([[0.0, 1e300]]))}, "not finite"),
        ({"x": npy(IMAGES), "y": npy(np.array([0, 1, 2]))}, "y is int64"),
        ({"x": npy(IMAGES), "y": npy(np.array([0.0, 1.0]))}, "y is float64"),
        ({"x": npy(IMAGES), "y": npy(np.array([0, -1]))}, "from -1"),
        ({"x": npy(IMAGES), "y": npy(np.array([0, 2**40]))}, "number the classes"),
        ({"x": npy(IMAGES), "y": npy(np.array([0, 2])), "classes": npy(np.array(["a", "b"]))}, "name them all"),
        ({"x": npy(IMAGES), "classes": npy(np.array([1, 2]))}, "one string"),
    ],
)
def test_npz_attacks(tmp_path, members, words):
    zipped(tmp_path / "a.npz", **members)
    with pytest.raises(DatasetError, match=words) as problem:
        read_npz(tmp_path / "a.npz")
    assert str(tmp_path / "a.npz") in str(problem.value)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    zipped(tmp_path / "a.npz", x=npy(np.zeros((1000, 100, 100), np.uint8)))
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="the limit is 1000000"):
            read_npz(tmp_path / "a.npz", limits=ArrayLimits(max_bytes=1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        assert read_npz(tmp_path / "a.npz").values.shape == (1000, 100, 100, 1)
        assert tracemalloc.get_traced_memory()[1] > 2_000_000  # the broken control: it is one
    finally:
        tracemalloc.stop()


def test_what_is_no_zip(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 and no more")
    for read in (read_npz, count_samples):
        with pytest.raises(DatasetError):
            read(tmp_path / "a.npz")


def test_damaged_bytes_are_told_by_the_checksum(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (4, 50, 50), np.uint8))
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DatasetError, match="not a sound"):
        read_npz(path)


def test_samples_are_counted_without_reading_them(tmp_path):
    np.savez(tmp_path / "a.npz", x=IMAGES)
    assert count_samples(tmp_path / "a.npz") == 2


def test_column_order_is_kept_apart_from_row_order(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.asfortranarray(IMAGES))
    assert np.array_equal(read_npz(tmp_path / "a.npz").values[..., 0], IMAGES)
