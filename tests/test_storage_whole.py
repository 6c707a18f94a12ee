"""A folder is there whole or not at all, whoever writes it."""

import os

import pytest

from pipelines.examples.folder import written_whole as written_example
from translate.errors import StorageError
from translate.storage import atomic
from translate.storage.atomic import sync_folder, write_atomically
from translate.storage.whole import written_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("there", [False, True], ids=["new", "in the place of an empty one"])
def test_it_gets_its_name_at_the_end(tmp_path, there):
    if there:
        (tmp_path / "set").mkdir()
    with written_whole(tmp_path / "set") as unfinished:
        (unfinished / "a").write_text("a")
        assert unfinished.parent == tmp_path
        assert not (tmp_path / "set" / "a").exists()
    assert names(tmp_path) == ["set"]
    assert names(tmp_path / "set") == ["a"]


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_an_error_leaves_nothing(tmp_path, problem):
    def interrupted():
        with written_whole(tmp_path / "set") as unfinished:
            (unfinished / "a").write_text("a")
            raise problem

    with pytest.raises(type(problem)):
        interrupted()
    assert names(tmp_path) == []


def test_what_lies_there_is_not_replaced(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").write_text("mine")
    with pytest.raises(OSError, match="not empty"), written_whole(tmp_path / "set") as unfinished:
        (unfinished / "a").write_text("a")
    assert names(tmp_path) == ["set"]
    assert (tmp_path / "set" / "mine").read_text() == "mine"


def test_its_entries_are_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(os, "fsync", lambda handle: order.append(os.readlink(f"/proc/self/fd/{handle}")))  # noqa: PTH115
    with written_whole(tmp_path / "set") as unfinished:
        pass
    assert order == [str(unfinished), str(tmp_path)]


def test_what_a_killed_try_left_under_a_known_name_goes(tmp_path):
    (tmp_path / ".set.partial").mkdir()
    (tmp_path / ".set.partial" / "half").touch()
    with written_whole(tmp_path / "set", unfinished=tmp_path / ".set.partial", mode=0o700) as unfinished:
        assert names(unfinished) == []
    assert names(tmp_path) == ["set"]
    assert (tmp_path / "set").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_opened_is_written_to_all_the_same(tmp_path, monkeypatch):
    """As those that may be written and not read."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic.os, "open", refuse)
    sync_folder(tmp_path)
    write_atomically(tmp_path / "a", "whole")
    assert (tmp_path / "a").read_text() == "whole"


def test_an_example_that_may_not_be_written_is_refused_by_its_name(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match=r"file/set cannot be written \(File exists\): choose"),
        written_example(tmp_path / "file" / "set"),
    ):
        pass
