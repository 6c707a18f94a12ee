"""The shelf of a run: the last snapshots and the best, damaged ones passed over, and nothing lost by a kill."""

import errno

import pytest
from kept_states import damage, filled, is_state, state, temporaries

from translate.errors import ModelError
from translate.storage import shelf
from translate.storage.atomic import TEMPORARY
from translate.storage.shelf import Shelf
from translate.storage.snapshot import MANIFEST


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
