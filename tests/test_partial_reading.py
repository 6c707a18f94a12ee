"""Running a picture reads of a checkpoint what users get, and checks just that; what is missing or added is refused."""

import json
from pathlib import Path

import pytest
import torch
from tiny import card_of, tiny_engine, tiny_recipe

from pipelines.runs import CARDS, RECIPE, STANDING, RunFolder
from pipelines.trained import Trained
from translate.checkpoint import AVERAGED, NETWORKS, snapshot_of
from translate.errors import ModelError
from translate.recipe import to_json
from translate.storage.shelf import Shelf
from translate.storage.snapshot import Snapshot, read_snapshot, write_snapshot


@pytest.fixture
def folder(tmp_path):
    groups = {
        name: {"weight": torch.full((300,), float(n))} for n, name in enumerate((AVERAGED, NETWORKS, "optimisers"))
    }
    write_snapshot(tmp_path / "s", Snapshot(tensors=groups, documents={"recipe": {"a": 1}}))
    return tmp_path / "s"


@pytest.fixture
def read(monkeypatch):
    """The names of the files that are read."""
    names = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: (names.append(self.name), whole(self))[1])
    return names


def test_only_what_is_asked_for_is_read(folder, read):
    snapshot = read_snapshot(folder, tensors=(AVERAGED,))
    assert sorted(read) == ["averaged.safetensors", "manifest.json", "recipe.json"]
    assert set(snapshot.tensors) == {AVERAGED}
    assert torch.equal(snapshot.tensors[AVERAGED]["weight"], torch.zeros(300))
    assert snapshot.documents == {"recipe": {"a": 1}}


def test_control_all_is_read_unless_asked_otherwise(folder, read):
    assert set(read_snapshot(folder).tensors) == {AVERAGED, NETWORKS, "optimisers"}
    assert len(read) == 5


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_flip_is_refused_by_whoever_reads_it(folder):
    flip(folder / "optimisers.safetensors")
    read_snapshot(folder, tensors=(AVERAGED,))
    with pytest.raises(ModelError, match="optimisers"):
        read_snapshot(folder)
    flip(folder / "averaged.safetensors")
    with pytest.raises(ModelError, match="averaged"):
        read_snapshot(folder, tensors=(AVERAGED,))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def link(path):
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


@pytest.mark.parametrize("tamper", [Path.unlink, cut, link], ids=lambda tamper: tamper.__name__)
def test_what_is_not_read_must_be_there_all_the_same(folder, tamper):
    tamper(folder / "optimisers.safetensors")
    with pytest.raises(ModelError, match="optimisers"):
        read_snapshot(folder, tensors=(AVERAGED,))


def test_what_was_added_is_refused(folder):
    (folder / "extra.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="extra"):
        read_snapshot(folder, tensors=(AVERAGED,))


def test_a_group_that_is_not_there_is_simply_not_there(folder):
    assert read_snapshot(folder, tensors=("other",)).tensors == {}


@pytest.fixture
def trained_run(tmp_path):
    recipe = tiny_recipe("pix2pix")
    engine = tiny_engine(recipe)
    cards = {name: json.loads(card_of(deploy).to_json()) for name, deploy in engine.method.deploys().items()}
    documents = {RECIPE: json.loads(to_json(recipe)), CARDS: cards, STANDING: {"images": None}}
    run = RunFolder(path=tmp_path / "run")
    Shelf(run.snapshots).save(0, snapshot_of(engine, documents), best=None)
    return run


def test_using_a_run_reads_a_part_of_it_and_gives_the_same_weights(trained_run, read):
    part = Trained.for_use(trained_run)
    assert "averaged.safetensors" in read
    assert "optimisers.safetensors" not in read
    whole = Trained.read(trained_run)
    assert "optimisers.safetensors" in read
    for name, deploy in part.method.deploys().items():
        truth = whole.method.deploys()[name].module.state_dict()
        assert all(torch.equal(tensor, truth[key]) for key, tensor in deploy.module.state_dict().items())
    assert json.dumps(part.snapshot.documents) == json.dumps(whole.snapshot.documents)
