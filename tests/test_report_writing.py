"""A report is written whole or not at all."""

import errno
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.report import Report, write_report
from translate.errors import StorageError
from translate.storage.atomic import sweep


def report(**changes):
    plain = {"method": "pix2pix", "name": "demo", "status": "finished", "minutes": 7.9, "title": "Line art"}
    return Report(started=datetime(2026, 8, 1, 14, 5, tzinfo=UTC), **{**plain, **changes})


def test_a_full_disk_leaves_the_old_report_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_report(path, report(title="old"))
    before = path.read_bytes()

    def full_disk(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageError, match=r"report\.html \(No space left on device\): it needs [\d.]+ MB, and"):
        write_report(path, report(title="new"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_may_not_be_written_is_refused_by_its_name(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    genuine = Path.open

    def read_only(self, mode="r", *arguments, **options):
        if self.parent == tmp_path and "w" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return genuine(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", read_only)
    with pytest.raises(StorageError, match=r"report\.html cannot be written \(Permission denied\): choose"):
        write_report(path, report())


def test_the_folder_is_on_the_disk_too_and_what_a_kill_left_is_swept(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode)))
    write_report(tmp_path / "report.html", report())
    assert synced == [False, True]
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # as when the process is killed there
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path / "report.html", report())
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
