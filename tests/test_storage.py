"""Checkpoints are whole or absent: atomic writes, snapshots whose every bit is checked, and the shelf of a run."""

import errno
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from naive_saver import write_in_place

from pipelines.training.observers import MetricsFile, TensorBoard
from translate.errors import ModelError, StorageError
from translate.storage import atomic, shelf, snapshot
from translate.storage.atomic import TEMPORARY, write_atomically
from translate.storage.shelf import Shelf
from translate.storage.snapshot import MANIFEST, Snapshot, read_snapshot, write_snapshot


def state(seed, *, size=1000):
    draw = torch.Generator().manual_seed(seed)
    weights = {"a.weight": torch.randn(size, generator=draw), "count": torch.tensor(seed)}
    return Snapshot(
        tensors={"networks": weights, "optimisers": {"exp_avg": torch.randn(size // 2, generator=draw)}},
        documents={"progress": {"images": seed, "rate": 0.1}, "recipe": {"name": "ü"}},
    )


def is_state(read, seed):
    expected = state(seed)
    return read.documents == expected.documents and all(
        torch.equal(read.tensors[group][key], tensor)
        for group, tensors in expected.tensors.items()
        for key, tensor in tensors.items()
    )


def hash_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()


def temporaries(folder):
    return [path for path in folder.rglob("*") if path.name.startswith(TEMPORARY)]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images-000000000007"
    write_snapshot(path, state(7))
    return path


PARSE_JSON = json.loads


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
    write, sync, rename = snapshot.write_through, snapshot.sync_folder, type(tmp_path).rename

    def spy(name, original):
        def call(*arguments):
            order.append(name)
            return original(*arguments)

        return call

    monkeypatch.setattr(snapshot, "write_through", spy("file", write))
    monkeypatch.setattr(snapshot, "sync_folder", spy("folder", sync))
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


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


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


def edit_manifest(folder, change):
    manifest = PARSE_JSON((folder / MANIFEST).read_text())
    change(manifest["files"])
    (folder / MANIFEST).write_text(json.dumps(manifest))


def entry(data):
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def remove_file(folder):
    (folder / "networks.safetensors").unlink()


def add_file(folder):
    (folder / "extra.json").write_text("{}")


def add_folder(folder):
    (folder / "extra").mkdir()


def rename_file(folder):
    (folder / "networks.safetensors").rename(folder / "network.safetensors")


def change_case(folder):
    (folder / "networks.safetensors").rename(folder / "Networks.safetensors")


def append_byte(folder):
    with (folder / "networks.safetensors").open("ab") as file:
        file.write(b"\0")


def link_file(folder):
    (folder / "networks.safetensors").rename(folder.parent / "elsewhere")
    (folder / "networks.safetensors").symlink_to(folder.parent / "elsewhere")


def link_dangling(folder):
    (folder / "networks.safetensors").unlink()
    (folder / "networks.safetensors").symlink_to(folder.parent / "nowhere")


def pipe_for_file(folder):
    """A named pipe of 0 bytes, as the manifest says: opening it would wait for ever."""
    (folder / "recipe.json").unlink()
    os.mkfifo(folder / "recipe.json")
    edit_manifest(folder, lambda files: files.update({"recipe.json": entry(b"")}))


def folder_for_file(folder):
    (folder / "recipe.json").unlink()
    (folder / "recipe.json").mkdir()
    size = (folder / "recipe.json").stat().st_size
    edit_manifest(folder, lambda files: files.update({"recipe.json": {"bytes": size, "sha256": "0" * 64}}))


def name_above(folder):
    (folder.parent / "x").write_bytes(b"{}")
    edit_manifest(folder, lambda files: files.update({"../x": entry(b"{}")}))


def name_absolute(folder):
    (folder.parent / "x.json").write_bytes(b"{}")
    edit_manifest(folder, lambda files: files.update({str(folder.parent / "x.json"): entry(b"{}")}))


def name_below(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "x.json").write_bytes(b"{}")
    edit_manifest(folder, lambda files: files.update({"sub/x.json": entry(b"{}")}))


def name_parent(folder):
    edit_manifest(folder, lambda files: files.update({"..": entry(b"")}))


def name_with_nul(folder):
    edit_manifest(folder, lambda files: files.update({"a\0b": entry(b"")}))


def name_long(folder):
    edit_manifest(folder, lambda files: files.update({"a" * 300: entry(b"")}))


def name_itself(folder):
    edit_manifest(folder, lambda files: files.update({MANIFEST: entry((folder / MANIFEST).read_bytes())}))


def name_twice(folder):
    """A parser that takes the last of two would check one entry and another program the other."""
    text = (folder / MANIFEST).read_text()
    twice = text.replace('"progress.json": {', '"progress.json": {"bytes": 1, "sha256": ""}, "progress.json": {', 1)
    assert PARSE_JSON(twice) == PARSE_JSON(text)
    (folder / MANIFEST).write_text(twice)


def swap_hashes(folder):
    def swap(files):
        files["progress.json"], files["recipe.json"] = files["recipe.json"], files["progress.json"]

    edit_manifest(folder, swap)


def swap_contents(folder):
    """Both files are whole, each under the other's name."""
    a, b = folder / "networks.safetensors", folder / "optimisers.safetensors"
    data = a.read_bytes(), b.read_bytes()
    a.write_bytes(data[1])
    b.write_bytes(data[0])


def drop_hash(folder):
    edit_manifest(folder, lambda files: files["progress.json"].pop("sha256"))


def hash_of_wrong_kind(folder):
    edit_manifest(folder, lambda files: files["progress.json"].update(sha256=None))


def entry_of_wrong_kind(folder):
    edit_manifest(folder, lambda files: files.update({"progress.json": 3}))


def files_of_wrong_kind(folder):
    (folder / MANIFEST).write_text('{"files": ["progress.json"]}')


def manifest_of_wrong_kind(folder):
    (folder / MANIFEST).write_text("[]")


def manifest_deep(folder):
    (folder / MANIFEST).write_text("[" * 100_000)


def manifest_missing(folder):
    (folder / MANIFEST).unlink()


TAMPERINGS = [
    remove_file,
    add_file,
    add_folder,
    rename_file,
    change_case,
    append_byte,
    link_file,
    link_dangling,
    pipe_for_file,
    folder_for_file,
    name_above,
    name_absolute,
    name_below,
    name_parent,
    name_with_nul,
    name_long,
    name_itself,
    name_twice,
    swap_hashes,
    swap_contents,
    drop_hash,
    hash_of_wrong_kind,
    entry_of_wrong_kind,
    files_of_wrong_kind,
    manifest_of_wrong_kind,
    manifest_deep,
    manifest_missing,
]


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


# The shelf


def filled(tmp_path, *positions, best=None, keep=3):
    run = Shelf(tmp_path / "snapshots", keep=keep)
    for images in positions:
        run.save(images, state(images), best=best)
    return run


def damage(run, images):
    flip(run.path(images) / "networks.safetensors", 5000)


def test_the_last_three_and_the_best_are_kept(tmp_path):
    run = filled(tmp_path, 10, 20, 30, 40, 50, 60, best=20)
    assert run.all() == [20, 40, 50, 60]
    assert all(is_state(run.read(images), images) for images in run.all())
    assert is_state(run.newest(), 60)


def test_a_damaged_newest_is_passed_over_with_a_warning_that_names_it(tmp_path, caplog):
    run = filled(tmp_path, 10, 20, 30)
    damage(run, 30)
    damage(run, 20)
    assert is_state(run.newest(), 10)
    named = [str(run.path(30)) in caplog.messages[0], str(run.path(20)) in caplog.messages[1]]
    assert named == [True, True]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_no_whole_checkpoint_is_an_error(tmp_path):
    run = filled(tmp_path, 10)
    damage(run, 10)
    with pytest.raises(ModelError, match="no whole checkpoint"):
        run.newest()
    with pytest.raises(ModelError, match="no whole checkpoint"):
        Shelf(tmp_path / "nothing").newest()


def test_a_damaged_snapshot_at_the_same_position_is_replaced(tmp_path):
    run = filled(tmp_path, 10, 20)
    damage(run, 20)
    run.save(20, state(20), best=None)
    assert run.all() == [10, 20]
    assert is_state(run.read(20), 20)
    assert not temporaries(tmp_path)


def test_a_whole_snapshot_at_the_same_position_stays_untouched(tmp_path):
    """A run that was stopped right after a save saves again at the same place."""
    run = filled(tmp_path, 10)
    before = run.path(10).stat().st_ino
    run.save(10, state(10), best=None)
    assert run.path(10).stat().st_ino == before


def test_damaged_snapshots_beyond_the_run_push_no_whole_one_out(tmp_path):
    """Three damaged ones, a resume from the best, and a save before their positions: that one must be the newest."""
    run = filled(tmp_path, 10, 20, 30, 40, best=10)
    for images in (20, 30, 40):
        damage(run, images)
    assert is_state(run.newest(), 10)
    run.save(15, state(15), best=10)
    assert is_state(run.newest(), 15)
    assert run.all() == [10, 15]


def test_a_snapshot_is_published_before_an_old_one_goes(tmp_path, monkeypatch):
    run = filled(tmp_path, 10, 20, 30)

    def fail(folder, content):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shelf, "write_snapshot", fail)
    with pytest.raises(OSError, match="Input/output"):
        run.save(40, state(40), best=None)
    assert run.all() == [10, 20, 30]


def test_what_a_kill_left_is_swept_at_the_next_save(tmp_path):
    run = filled(tmp_path, 10)
    (run.folder / f"{TEMPORARY}99-0123456789ab").mkdir()
    (run.folder / f"{TEMPORARY}99-0123456789ab" / "networks.safetensors").write_bytes(b"half")
    assert is_state(run.newest(), 10)
    run.save(20, state(20), best=None)
    assert run.all() == [10, 20]
    assert not temporaries(tmp_path)


def test_a_kill_while_an_old_snapshot_is_removed_does_no_harm(tmp_path, monkeypatch):
    """The removal renames first: what is half removed has no snapshot's name, and the next save ends it."""
    run = filled(tmp_path, 10, 20, 30)

    def die(path, **_):
        (path / MANIFEST).unlink(missing_ok=True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shelf.shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            run._drop(10)
    assert run.all() == [20, 30]
    assert len(temporaries(tmp_path)) == 1
    run.save(40, state(40), best=None)
    assert run.all() == [20, 30, 40]
    assert not temporaries(tmp_path)


def test_foreign_files_beside_the_snapshots_are_left_alone(tmp_path):
    run = filled(tmp_path, 10)
    (run.folder / "images-00 (copy)").mkdir()
    (run.folder / "images-notes.txt").write_text("mine")
    (run.folder / "images-000000000099").write_text("a file with a snapshot's name is a damaged snapshot")
    assert is_state(run.newest(), 10)
    assert (run.folder / "images-notes.txt").read_text() == "mine"


# Full disks


@contextmanager
def file_size_limit(size):
    """No file of this process may grow beyond `size` bytes; Python ignores SIGXFSZ, so writes fail with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_by_shelf(folder, content):
    Shelf(folder).save(int(content.documents["progress"]["images"]), content, best=None)


def write_naively(folder, content):
    write_in_place(folder / "images-000000000010", content)


def largest_file(folder):
    return max(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def require_old_survives_full_disk(tmp_path, write):
    """The disk takes no more at 50 points, evenly from the first byte to the last but one of the largest file."""
    folder = tmp_path / "snapshots"
    write(folder, state(10))
    old, largest = hash_of(folder), largest_file(folder)
    for point in range(50):
        with file_size_limit(point * (largest - 1) // 49), pytest.raises((StorageError, OSError)):
            write(folder, state(20))
        assert hash_of(folder) == old, f"the old checkpoint is lost at point {point}"
    write(folder, state(20))
    assert not temporaries(folder)
    assert is_state(Shelf(folder).newest(), 20)


def test_the_old_checkpoint_survives_a_full_disk_at_fifty_points(tmp_path):
    require_old_survives_full_disk(tmp_path, write_by_shelf)


def test_control_a_naive_saver_loses_the_old_checkpoint_on_a_full_disk(tmp_path):
    with pytest.raises(AssertionError, match="lost at point"):
        require_old_survives_full_disk(tmp_path, write_naively)


def test_the_message_gives_path_need_and_free_space(tmp_path):
    with file_size_limit(1000), pytest.raises(StorageError) as caught:
        write_by_shelf(tmp_path / "snapshots", state(10))
    message = str(caught.value)
    need = sum(len(data) for data in snapshot._serialised(state(10)).values())
    assert str(tmp_path / "snapshots" / "images-000000000010") in message
    assert "File too large" in message
    stated = float(message.split("needs ")[1].split(" MB")[0])
    assert need / 1e6 <= stated < need / 1e6 + 0.002  # the manifest comes to it
    free = float(message.split("and ")[1].split(" MB are free")[0])
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free / 1e6, rel=0.05)
    assert caught.value.exit_code == 5


def test_too_little_room_is_refused_before_a_byte_is_written(tmp_path, monkeypatch):
    run = filled(tmp_path, 10)
    monkeypatch.setattr(snapshot.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 90, 10))
    monkeypatch.setattr(snapshot, "write_through", lambda *_: pytest.fail("it wrote"))
    with pytest.raises(StorageError, match=r"0\.000 MB are free"):
        run.save(20, state(20), best=None)
    assert is_state(run.newest(), 10)


FAILURES = {
    "full": OSError(errno.ENOSPC, "No space left on device"),
    "quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
    "broken": OSError(errno.EIO, "Input/output error"),
    "read-only": OSError(errno.EROFS, "Read-only file system"),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_failing_fsync_or_rename_leaves_the_old_checkpoint_and_is_told(tmp_path, monkeypatch, call, failure):
    """At every call of the save that there is, one after the other."""
    run = filled(tmp_path, 10)
    old, points = hash_of(run.path(10)), 0
    where = (os, "fsync") if call == "fsync" else (type(tmp_path), "rename")
    original = getattr(*where)
    while True:
        calls = iter(range(100))

        def fail_once(*arguments, calls=calls, point=points):
            if next(calls) == point:
                raise FAILURES[failure]
            return original(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(*where, fail_once)
            told = refusal_of(lambda: run.save(20, state(20), best=None))
        if told is None:
            break
        assert FAILURES[failure].strerror in told
        assert str(run.path(20)) in told
        assert hash_of(run.path(10)) == old
        assert not temporaries(tmp_path)
        run._drop(20)
        points += 1
    assert points == {"fsync": 7, "rename": 1}[call]
    assert is_state(run.newest(), 20)


def refusal_of(save):
    try:
        save()
    except StorageError as problem:
        return str(problem)
    return None


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=40", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("reserve", "reason"), [(0, "no space left"), (-(10**6), "No space left")], ids=["before", "in the midst of it"]
)
def test_a_disk_that_is_really_full(small_disk, monkeypatch, reserve, reason):
    """With a reserve below zero the look at the free space says yes, as if others had filled the disk meanwhile."""
    monkeypatch.setattr(snapshot, "_RESERVE_BYTES", reserve)
    run = Shelf(small_disk / "snapshots")
    run.save(10, state(10), best=None)
    old = hash_of(run.path(10))
    (small_disk / "others").write_bytes(bytes(shutil.disk_usage(small_disk).free - 5000))
    with pytest.raises(StorageError, match=rf"{reason}.*0\.00\d MB are free"):
        run.save(20, state(20), best=None)
    assert hash_of(run.path(10)) == old
    assert not temporaries(small_disk)
    (small_disk / "others").unlink()
    run.save(20, state(20), best=None)
    assert is_state(run.newest(), 20)


def test_a_disk_without_inodes(small_disk, monkeypatch):
    monkeypatch.setattr(snapshot, "_RESERVE_BYTES", 0)
    run = Shelf(small_disk / "snapshots")
    run.save(10, state(10), best=None)
    number = 0
    with pytest.raises(OSError, match="No space"):  # noqa: PT012
        while True:
            (small_disk / f"other-{number}").touch()
            number += 1
    (small_disk / "other-0").unlink()
    (small_disk / "other-1").unlink()
    with pytest.raises(StorageError, match="No space left"):
        run.save(20, state(20), best=None)
    assert is_state(run.newest(), 10)
    assert not temporaries(small_disk)


# What is written beside the checkpoints


def test_figures_that_find_no_room_are_a_storage_error(tmp_path):
    metrics = MetricsFile(tmp_path / "metrics.jsonl", resumed_at=0)
    with file_size_limit(500), pytest.raises(StorageError, match=r"metrics\.jsonl"):  # noqa: PT012
        for images in range(100):
            metrics.figures(images, {"generator/l1": 0.5})
    metrics.close()


def test_curves_that_find_no_room_are_a_storage_error(tmp_path, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # the writer's thread ends by the same error
    board = TensorBoard(tmp_path / "tensorboard", resumed_at=0)
    with file_size_limit(200), pytest.raises(StorageError, match="tensorboard"):  # noqa: PT012
        for images in range(100):
            board.figures(images, {"generator/l1": 0.5})
            board.sheet(images, np.zeros((64, 64, 3), np.uint8))
        board.close()


def test_a_resume_cuts_off_figures_beyond_its_checkpoint_and_a_half_written_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"images": images, "x": 1.5}) for images in (1, 2, 3, 4)]
    path.write_text("\n".join([*lines, lines[0][:9]]))
    MetricsFile(path, resumed_at=3).close()
    assert path.read_text().splitlines() == lines[:3]
