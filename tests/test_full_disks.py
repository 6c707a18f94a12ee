"""On a disk that takes no more, the old checkpoint stays and the message says what is lacking."""

import errno
import json
import os
import shutil
import threading

import numpy as np
import pytest
from full_disks import file_size_limit, small_file_system
from kept_states import filled, hash_of, is_state, state, temporaries
from naive_saver import write_in_place

from pipelines.training.observers import MetricsFile, TensorBoard
from translate.errors import StorageError
from translate.storage import snapshot
from translate.storage.shelf import Shelf

# Full disks


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
    with small_file_system(tmp_path / "disk", "size=256k,nr_inodes=40") as disk:
        yield disk


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
