"""Collections: what lies in a folder, its classes, what is held out, and the batches that come of it."""

import gzip
import itertools
import struct
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from translate.card import FixedPicture, Label, Latent, Picture, Vector
from translate.data.augmentation import Augmentation
from translate.data.collected import samples_of
from translate.data.collection import with_validation
from translate.data.collection_finding import find_collection, scan_collection
from translate.data.dataset import read_tensors
from translate.data.holdout import hash_of
from translate.data.samples import Samples
from translate.data.stream import loader
from translate.data.tensors import assemble
from translate.errors import ConfigurationError, DatasetError

GREY = FixedPicture(name="x", channels=1, height_px=8, width_px=8)
RGB = FixedPicture(name="x", channels=3, height_px=8, width_px=8)
POINT = Vector(name="x", size=2)
PLAIN = Augmentation(load_px=8, crop_px=8, flip=False)


def picture(path, level, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path)


def idx(path, values):
    header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    data = header + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def numbered(count, side=8):
    """Pictures whose pixels say their number."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None], (count, side, side)).copy()


def counts(collection):
    return {name: len(part) for name, part in collection.splits.items()}


def take(source, count, **options):
    batches = loader(source, **{"batch_size": 4, "seed": 3, **options})
    taken = list(itertools.islice(batches, count))
    batches.close()
    return taken


# --- folders


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Training", "testing"), ("", None)], ids=["split", "other words", "plain"]
)
def test_a_folder_a_class(tmp_path, train, test):
    for name, levels in {"cat": [10, 11, 12], "ant": [20], "dog": [30, 31]}.items():
        for level in levels:
            picture(tmp_path / train / name / f"{level}.png", level)
    if test:
        picture(tmp_path / test / "dog" / "90.png", 90)
    found = find_collection(tmp_path, RGB, classes=3)
    assert found.names == ("ant", "cat", "dog")
    assert counts(found) == {"train": 6} | ({"test": 1} if test else {})
    assert found.train.labels.tolist() == [0, 1, 1, 1, 2, 2]
    assert found.train.keys == ("ant/20", "cat/10", "cat/11", "cat/12", "dog/30", "dog/31")
    if test:
        assert found.splits["test"].labels.tolist() == [2]
    tensors = read_tensors(samples_of(found.train, RGB, PLAIN, seed=0, training=False))
    assert tensors["x"][:, 0, 0, 0].tolist() == [20, 10, 11, 12, 30, 31]
    assert tensors["label"].tolist() == [0, 1, 1, 1, 2, 2]


def test_classes_that_are_numbers_are_in_the_order_of_the_numbers(tmp_path):
    for name in ["10", "2", "1", "ten"]:
        picture(tmp_path / name / "a.png", 1)
    assert scan_collection(tmp_path).names == ("1", "2", "10", "ten")


def test_files_of_one_name_and_two_extensions_are_two_samples(tmp_path):
    for name in ["a/1.png", "a/1.bmp", "b/1.png"]:
        picture(tmp_path / name, 1)
    part = scan_collection(tmp_path).train
    assert part.keys == ("a/1", "a/1.png", "b/1")


@pytest.mark.parametrize("place", ["", "train", "trainA", "trainingA", "only"])
def test_a_flat_folder_has_no_classes(tmp_path, place):
    for level in range(4):
        picture(tmp_path / place / f"{level}.png", level)
    if place.startswith("train"):
        picture(tmp_path / place.replace("train", "test") / "t.png", 9)
    found = find_collection(tmp_path, RGB)
    assert found.names == ()
    assert found.train.labels is None
    assert counts(found) == {"train": 4} | ({"test": 1} if place.startswith("train") else {})
    assert read_tensors(samples_of(found.train, RGB, PLAIN, seed=0, training=False)).keys() == {"x"}


@pytest.mark.parametrize(
    ("files", "classes", "words"),
    [
        (["trainA/a.png", "trainB/a.png"], None, "two domains"),
        (["train/a/1.png", "train/b/1.png", "test/c/1.png"], None, "class c"),
        (["train/a/1.png", "val/a/1.png", "valid/a/1.png"], None, "both are the validation"),
        (["a.png"], 2, "no classes"),
        (["a/1.png", "b/1.png"], 3, "2 classes"),
        ([], None, "holds nothing"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, files, classes, words):
    for name in files:
        picture(tmp_path / name, 1)
    with pytest.raises(DatasetError, match=words) as problem:
        find_collection(tmp_path, RGB, classes=classes)
    assert str(tmp_path) in str(problem.value)


def label_by_index(monkeypatch):
    """The broken control: the label of the sample that was asked for, whichever was read."""
    read = Samples._read

    def forgetful(self, group, epoch, index, refused):
        found = read(self, group, epoch, index, refused)
        return found and (index, found[1])

    monkeypatch.setattr(Samples, "_read", forgetful)


@pytest.mark.parametrize("broken", [False, True])
def test_a_picture_that_replaces_another_brings_its_own_label(tmp_path, monkeypatch, broken):
    if broken:
        label_by_index(monkeypatch)
    for name, level in {"a": 10, "b": 20}.items():
        picture(tmp_path / name / "1.png", level)
    (tmp_path / "a" / "1.png").write_bytes(b"")
    source = samples_of(find_collection(tmp_path, RGB, classes=2).train, RGB, PLAIN, seed=0, training=True)
    tensors, refused = source.__getitems__([(0, 0), (0, 1)])
    assert [path for path, _ in refused] == [str(tmp_path / "a" / "1.png")]
    assert tensors["x"][:, 0, 0, 0].tolist() == [20, 20]
    assert (tensors["label"].tolist() == [1, 1]) is not broken


# --- arrays


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("prefix", ["", "emnist-letters-"])
def test_idx_files(tmp_path, suffix, prefix):
    pictures = np.random.default_rng(0).integers(0, 256, (6, 8, 5), np.uint8)
    for name, values in {
        "train-images-idx3-ubyte": pictures,
        "train-labels-idx1-ubyte": np.array([3, 1, 4, 1, 5, 0]),
        "t10k-images-idx3-ubyte": pictures[:2],
        "t10k-labels-idx1-ubyte": np.array([1, 2]),
    }.items():
        idx(tmp_path / f"{prefix}{name}{suffix}", values)
    found = find_collection(tmp_path, GREY, classes=10)
    assert counts(found) == {"train": 6, "test": 2}
    assert np.array_equal(found.train.values[..., 0], pictures)
    assert found.train.labels.tolist() == [3, 1, 4, 1, 5, 0]
    assert found.names == tuple("0123456789")
    assert scan_collection(tmp_path).names == tuple("012345")


def test_idx_files_without_labels_and_with_named_classes(tmp_path):
    idx(tmp_path / "train-images-idx3-ubyte", numbered(4))
    assert not scan_collection(tmp_path).is_labelled
    idx(tmp_path / "train-labels-idx1-ubyte", np.array([0, 1, 1, 0]))
    (tmp_path / "dataset.json").write_text('{"class_names": ["shirt", "shoe"]}')
    assert scan_collection(tmp_path).names == ("shirt", "shoe")
    assert scan_collection(tmp_path, names=("one", "two")).names == ("one", "two")
    with pytest.raises(DatasetError, match="names are given"):
        scan_collection(tmp_path, names=("one",))


@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.parametrize(
    ("x", "port", "shape"),
    [
        (numbered(5), GREY, (1, 8, 8)),
        (np.stack([numbered(5)] * 3, -1), RGB, (3, 8, 8)),
        (np.arange(10.0).reshape(5, 2), POINT, (2,)),
        (np.arange(10, dtype=np.float32).reshape(5, 2), POINT, (2,)),
    ],
)
def test_npz(tmp_path, x, port, shape, as_file):
    path = tmp_path / "any.npz"
    np.savez_compressed(path, x=x, y=np.array([0, 1, 0, 1, 2], np.uint8), classes=np.array(["a", "b", "c"]), other=1)
    found = find_collection(path if as_file else tmp_path, port, classes=3)
    assert found.names == ("a", "b", "c")
    tensors = read_tensors(samples_of(found.train, port, PLAIN, seed=0, training=False), [4, 1])
    assert tuple(tensors["x"].shape) == (2, *shape)
    assert tensors["label"].tolist() == [2, 1]
    expected = x[[4, 1]] if x.ndim == 2 else np.moveaxis(x.reshape(5, 8, 8, -1)[[4, 1]], -1, 1)
    assert np.array_equal(tensors["x"].numpy(), expected)
    assert tensors["x"].dtype == (torch.float32 if x.ndim == 2 else torch.uint8)


def test_npz_splits(tmp_path):
    for name, count in {"train": 5, "val": 2, "test": 3}.items():
        np.savez(tmp_path / f"{name}.npz", x=numbered(count))
    assert counts(scan_collection(tmp_path)) == {"train": 5, "validation": 2, "test": 3}
    np.savez(tmp_path / "test.npz", x=np.zeros((3, 8, 8, 3), np.uint8))
    with pytest.raises(DatasetError, match="same kind and channels"):
        scan_collection(tmp_path)


def test_points_are_no_pictures_and_pictures_no_points(tmp_path):
    np.savez(tmp_path / "p.npz", x=np.zeros((5, 2), np.float32))
    with pytest.raises(DatasetError, match="pictures are needed"):
        find_collection(tmp_path, GREY)
    with pytest.raises(DatasetError, match="3 are needed"):
        find_collection(tmp_path, Vector(name="x", size=3))
    picture(tmp_path / "folder" / "a.png", 1)
    with pytest.raises(DatasetError, match="points are needed"):
        find_collection(tmp_path / "folder", POINT)


# --- held out


def test_of_arrays_the_place_in_the_file_decides_what_is_held_out(tmp_path):
    np.savez(tmp_path / "a.npz", x=numbered(200), y=np.arange(200) % 7)
    before = scan_collection(tmp_path)
    after = with_validation(before, 0.2, 1000)
    below = [index for index in range(200) if hash_of(str(index)) < 0.2]
    assert 20 < len(below) < 60
    held = after.splits["validation"]
    assert held.values[:, 0, 0, 0].tolist() == below
    assert held.labels.tolist() == [index % 7 for index in below]
    assert sorted(held.keys + after.train.keys) == sorted(before.train.keys)
    assert len(with_validation(before, 0.2, 5).splits["validation"]) == 5
    assert counts(with_validation(after, 0.5, 1000)) == counts(after)
    with pytest.raises(ConfigurationError):
        with_validation(before, 1.0, 5)


def test_of_files_the_path_decides(tmp_path):
    for name, level in itertools.product("ab", range(20)):
        picture(tmp_path / name / f"{level}.png", level)
    after = with_validation(scan_collection(tmp_path), 0.3, 1000)
    expected = {f"{name}/{level}" for name, level in itertools.product("ab", range(20))}
    assert set(after.splits["validation"].keys) == {key for key in expected if hash_of(key) < 0.3}
    part = after.splits["validation"]
    assert [after.names[label] for label in part.labels] == [key[0] for key in part.keys]


# --- batches


@pytest.fixture
def array(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).integers(0, 256, (9, 8, 8), np.uint8), y=np.arange(9))
    return find_collection(tmp_path, GREY, classes=9).train


TURNED = Augmentation(load_px=10, crop_px=8, flip=True)


@pytest.mark.parametrize("augmentation", [PLAIN, Augmentation(load_px=8, crop_px=8, flip=True), TURNED])
@pytest.mark.parametrize("options", [{"workers": 1}, {"position": 8}])
def test_workers_and_a_stop_change_no_pixel(array, augmentation, options):
    source = samples_of(array, GREY, augmentation, seed=5, training=True)
    straight = take(source, 6)
    other = take(source, 4, **options)
    first = options.get("position", 0) // 4
    for one, two in zip(straight[first : first + 4], other, strict=True):
        assert all(torch.equal(one[name], two[name]) for name in ("x", "label"))


def test_an_epoch_shows_each_sample_once_under_its_label(array):
    batches = take(samples_of(array, GREY, PLAIN, seed=5, training=True), 9)
    assert Counter(torch.cat([batch["label"] for batch in batches]).tolist()) == dict.fromkeys(range(9), 4)
    for batch in batches:
        assert np.array_equal(batch["x"][:, 0].numpy(), array.values[batch["label"].numpy(), ..., 0])


def test_half_are_mirrored_others_in_each_epoch_and_none_in_evaluation(tmp_path):
    x = np.tile(np.arange(8, dtype=np.uint8), (400, 8, 1))
    np.savez(tmp_path / "a.npz", x=x)
    part = find_collection(tmp_path, GREY).train
    flip = Augmentation(load_px=8, crop_px=8, flip=True)
    source = samples_of(part, GREY, flip, seed=5, training=True)
    epochs = [source.__getitems__([(epoch, index) for index in range(400)])[0]["x"] for epoch in (0, 0, 1)]
    mirrored = [(pixels[:, 0, 0, 0] == 7) for pixels in epochs]
    assert torch.equal(mirrored[0], mirrored[1])
    assert 0.3 < float((mirrored[0] != mirrored[2]).float().mean()) < 0.7
    for pixels, which in zip(epochs, mirrored, strict=True):
        assert 150 < int(which.sum()) < 250
        assert torch.equal(torch.where(which.view(-1, 1, 1, 1), pixels.flip(3), pixels)[:, 0], torch.tensor(x))
    still = samples_of(part, GREY, flip, seed=5, training=False)
    assert np.array_equal(read_tensors(still)["x"][:, 0].numpy(), x)
    assert np.array_equal(part.values[..., 0], x)  # nothing was turned in place


def test_a_batch_in_memory_is_asked_for_once(array):
    source = samples_of(array, GREY, PLAIN, seed=5, training=True)
    calls = []

    class Counting:
        tolerated = 0

        def __len__(self):
            return len(source)

        def __getitem__(self, address):
            raise AssertionError

        def __getitems__(self, addresses):
            calls.append(list(addresses))
            return source.__getitems__(addresses)

    take(Counting(), 5)
    assert [len(call) for call in calls] == [4] * 5
    del Counting.__getitems__  # the broken control
    with pytest.raises(AssertionError):
        take(Counting(), 1)


def test_more_than_a_gather_is_done_as_with_folders(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), np.uint8)
    np.savez(tmp_path / "a.npz", x=pixels)
    for index, values in enumerate(pixels):
        (tmp_path / "files").mkdir(exist_ok=True)
        Image.fromarray(values).save(tmp_path / "files" / f"{index}.png")
    parts = [find_collection(place, RGB).train for place in (tmp_path / "a.npz", tmp_path / "files")]
    for training in (True, False):
        sources = [samples_of(part, RGB, TURNED, seed=5, training=training) for part in parts]
        arrays, files = (source.__getitems__([(1, index) for index in range(3)])[0]["x"] for source in sources)
        assert torch.equal(arrays, files)


@pytest.mark.parametrize(
    ("port", "values", "expected"),
    [
        (Label(name="p", classes=9), torch.tensor([3, 8], dtype=torch.uint8), torch.tensor([3, 8])),
        (Vector(name="p", size=2), torch.tensor([[0.5, -7.0]]), torch.tensor([[0.5, -7.0]])),
        (Latent(name="p", size=1), torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([[2.0]])),
        (
            FixedPicture(name="p", channels=1, height_px=1, width_px=2),
            torch.tensor([[[[0, 255]]]], dtype=torch.uint8),
            torch.tensor([[[[-1.0, 1.0]]]]),
        ),
        (
            Picture(name="p", channels=1),
            torch.tensor([[[[0, 255]]]], dtype=torch.uint8),
            torch.tensor([[[[-1.0, 1.0]]]]),
        ),
    ],
)
def test_assembled(port, values, expected):
    tensor = assemble((port,), {"p": values}, "cpu")
    assert tensor.dtype == expected.dtype
    assert torch.equal(tensor, expected)
