"""What the doctor makes of pictures that do not fit into memory, and what it remembers."""

import json
from pathlib import Path
from typing import get_args

import pytest
from seeded_defects import A_KINDS, B_KINDS, SIZE_PX, clean_set

from translate.data.doctor import Diagnosis, examine
from translate.data.doctor.diagnosis import REMEDIES, Code
from translate.data.doctor.file_checks import CODES
from translate.data.doctor.memory import default_cache
from translate.data.refusals import Reason


def look(root: Path, cache: Path | None) -> Diagnosis:
    return examine(root, paired=True, a_kinds=A_KINDS, b_kinds=B_KINDS, crop_px=SIZE_PX, cache=cache)


def test_every_refusal_has_a_code_and_every_code_a_remedy():
    assert set(get_args(Reason)) == set(CODES)
    assert set(get_args(Code)) == set(REMEDIES)


@pytest.mark.parametrize("where", ["translate.data.pictures.probe_of", "translate.data.doctor.facts.check_integrity"])
def test_a_picture_that_does_not_fit_into_memory_is_a_problem_and_is_not_remembered(tmp_path, monkeypatch, where):
    root = clean_set(tmp_path / "set", train=2, test=1)

    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(where, no_memory)
    found = look(root, tmp_path / "cache.json")
    assert {problem.code for problem in found.errors} == {"out_of_memory"}
    assert len(found.errors) == found.pictures == 9
    monkeypatch.undo()
    assert look(root, tmp_path / "cache.json").problems == ()


def test_what_was_seen_lies_in_the_documented_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "common"))
    root = clean_set(tmp_path / "set", train=2, test=1)
    look(root, None)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [default_cache(root).name]
    assert not (tmp_path / "common").exists()


def test_without_a_home_or_a_place_to_write_nothing_is_remembered_and_nothing_fails(tmp_path, monkeypatch):
    root = clean_set(tmp_path / "set", train=2, test=1)
    (tmp_path / "file").touch()
    assert look(root, tmp_path / "file" / "cache.json").problems == ()
    monkeypatch.delenv("PIXTURN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert default_cache(root) is None
    assert look(root, None).problems == ()


def test_a_full_disk_leaves_the_old_memory_and_nothing_beside_it(tmp_path, monkeypatch):
    root = clean_set(tmp_path / "set", train=2, test=1)
    cache = tmp_path / "cache" / "doctor.json"
    look(root, cache)
    before = cache.read_bytes()
    (root / "trainA" / "t00000.png").unlink()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    look(root, cache)
    assert cache.read_bytes() == before
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_facts_with_a_reason_that_another_pixturn_had_are_read_anew(tmp_path):
    root = clean_set(tmp_path / "set", train=2, test=1)
    cache = tmp_path / "cache.json"
    look(root, cache)
    document = json.loads(cache.read_text())
    for entry in document["files"].values():
        entry["facts"] |= {"reason": "from_the_future", "contents": []}
    cache.write_text(json.dumps(document))
    assert look(root, cache).problems == ()
