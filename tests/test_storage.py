"""Checkpoints are whole or absent: atomic writes, and snapshots whose every bit is checked."""

import os
import random

import pytest
import torch
from kept_states import flip, is_state, state, temporaries
from snapshot_tamperings import PARSE_JSON, TAMPERINGS, edit_manifest, entry

from translate.errors import ModelError
from translate.storage import atomic, snapshot, whole
from translate.storage.atomic import TEMPORARY, write_atomically
from translate.storage.snapshot import MANIFEST, Snapshot, read_snapshot, write_snapshot


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images-000000000007"
    write_snapshot(path, state(7))
    return path


@pytest.fixture
def parsed(monkeypatch):
    """The bytes that reached a parser, other than the manifest's."""
    seen = []
    load_tensors = snapshot.load_tensors
    monkeypatch.setattr(snapshot, "load_tensors", lambda data: (seen.append(data), load_tensors(data))[1])

    def spy(data, **options):
        if not options:  # the manifest alone is read with an option: names may not stand twice in it
            seen.append(data)
        return PARSE_JSON(data, **options)

    monkeypatch.setattr(snapshot.json, "loads", spy)
    return seen


# Atomic writes


def test_an_atomic_write_replaces_the_content_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for content in (b"old", "new: ü"):
        write_atomically(path, content)
    assert path.read_bytes() == "new: ü".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_is_on_the_disk_before_it_gets_its_name_and_its_name_before_it_counts(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, type(tmp_path).replace

    def spy_fsync(handle):
        order.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")  # noqa: PTH112
        fsync(handle)

    monkeypatch.setattr(atomic.os, "fsync", spy_fsync)
    monkeypatch.setattr(type(tmp_path), "replace", lambda self, to: (order.append("rename"), replace(self, to))[1])
    write_atomically(tmp_path / "a", b"content")
    assert order == ["file", "rename", "folder"]


def test_a_snapshot_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    order = []
    write, sync, rename = snapshot.write_through, whole.sync_folder, type(tmp_path).rename

    def spy(name, original):
        def call(*arguments):
            order.append(name)
            return original(*arguments)

        return call

    monkeypatch.setattr(snapshot, "write_through", spy("file", write))
    monkeypatch.setattr(whole, "sync_folder", spy("folder", sync))
    monkeypatch.setattr(type(tmp_path), "rename", spy("rename", rename))
    write_snapshot(tmp_path / "a", state(1))
    assert order == ["file"] * 5 + ["folder", "rename", "folder"]


def test_what_interrupted_writes_left_is_swept_and_the_rest_stays(tmp_path):
    (tmp_path / f"{TEMPORARY}1-0123456789ab").mkdir()
    (tmp_path / f"{TEMPORARY}1-0123456789ab" / "networks.safetensors").write_bytes(b"half")
    (tmp_path / f"{TEMPORARY}2-0123456789ab").write_bytes(b"half")
    (tmp_path / "metrics.jsonl").write_bytes(b"whole")
    (tmp_path / f"{TEMPORARY}3-0123456789ab").symlink_to(tmp_path)
    atomic.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


# Snapshots


def test_a_snapshot_comes_back_bit_by_bit(folder):
    assert is_state(read_snapshot(folder), 7)
    assert not temporaries(folder.parent)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(0),
        torch.tensor(3, dtype=torch.int64),
        torch.arange(12).reshape(3, 4).T,
        torch.randn(2, 3).to(torch.bfloat16),
        torch.tensor([True, False]),
        torch.get_rng_state(),
    ],
    ids=["empty", "scalar", "transposed", "bfloat16", "bool", "random state"],
)
def test_any_tensor_of_a_state_comes_back(tmp_path, tensor):
    write_snapshot(tmp_path / "a", Snapshot(tensors={"t": {"x": tensor}}))
    back = read_snapshot(tmp_path / "a").tensors["t"]["x"]
    assert back.dtype == tensor.dtype
    assert torch.equal(back, tensor)


def test_random_documents_come_back_exactly(tmp_path):
    document = {"python": random.getstate(), "gauss": 0.1 + 0.2, "none": None}
    write_snapshot(tmp_path / "a", Snapshot(documents={"random": document}))
    back = read_snapshot(tmp_path / "a").documents["random"]
    assert (tuple(back["python"][1]), back["gauss"], back["none"]) == (document["python"][1], 0.1 + 0.2, None)


FLIPS = 300


def test_one_flipped_bit_is_refused_before_any_parser_sees_it(folder, parsed):
    """79 of 100 such files load in torch with wrong weights."""
    draw = random.Random(20)
    files = sorted(folder.iterdir())
    sizes = [path.stat().st_size for path in files]
    for _ in range(FLIPS):
        # half of the flips by size, so that they fall into weights; half of them by file, so that all have some
        path = draw.choices(files, sizes)[0] if draw.random() < 0.5 else draw.choice(files)
        bit = draw.randrange(8 * path.stat().st_size)
        flip(path, bit)
        with pytest.raises(ModelError):
            read_snapshot(folder)
        flip(path, bit)
    assert parsed == []
    assert is_state(read_snapshot(folder), 7)  # the control: what was flipped twice is whole, and the spy sees it
    assert len(parsed) == 4


def test_a_flipped_bit_anywhere_in_the_manifest_is_refused(folder, parsed):
    """White space and quotes too."""
    for bit in range(0, 8 * (folder / MANIFEST).stat().st_size, 23):
        flip(folder / MANIFEST, bit)
        with pytest.raises(ModelError):
            read_snapshot(folder)
        flip(folder / MANIFEST, bit)
    assert parsed == []


@pytest.mark.parametrize("name", ["networks.safetensors", "optimisers.safetensors", "progress.json", MANIFEST])
def test_a_file_that_was_cut_short_is_refused(folder, parsed, name):
    data = (folder / name).read_bytes()
    for length in {0, 1, 8, *(len(data) * part // 12 for part in range(12)), len(data) - 1}:
        (folder / name).write_bytes(data[:length])
        with pytest.raises(ModelError):
            read_snapshot(folder)
    assert parsed == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_a_folder_that_was_tampered_with_is_refused_before_any_parser_sees_it(folder, parsed, tamper):
    tamper(folder)
    with pytest.raises(ModelError, match=r"images-000000000007"):
        read_snapshot(folder)
    assert parsed == []


@pytest.mark.parametrize("content", [b"", b"{", b"\x80\x04.", b"PK\x03\x04", b"NaN,"], ids=repr)
def test_a_whole_file_of_another_kind_is_refused_by_name(folder, content):
    """Someone who writes a valid manifest gets as far as the parsers, and no further: neither of them runs code."""
    (folder / "networks.safetensors").write_bytes(content)
    edit_manifest(folder, lambda files: files.update({"networks.safetensors": entry(content)}))
    with pytest.raises(ModelError, match="images-000000000007"):
        read_snapshot(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        read_snapshot(tmp_path / "nowhere")
