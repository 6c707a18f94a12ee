"""What cannot be is refused in words that say what to do."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from short_runs import short

import pipelines
from pipelines.cli import main
from pipelines.methods import method_class
from pipelines.runs import summaries
from pipelines.training.memory import memory_told
from pipelines.training.session import require_optimisers
from translate.engine import Engine
from translate.errors import ConfigurationError, ModelError, StorageError
from translate.optimisers import Adam
from translate.recipe import Length, Validation, from_json, to_json
from translate.schedule import Schedule
from translate.storage.shelf import Shelf

pytest_plugins = ["training_fixtures"]
pytestmark = pytest.mark.usefixtures("threads_put_back")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Adam(learning_rate=-1.0), "--optimisers.NETWORK.learning-rate is -1"),
        (lambda: Adam(learning_rate=float("nan")), "learning-rate is nan"),
        (lambda: Adam(beta1=1.0), "beta1 is 1.0"),
        (lambda: Adam(beta2=-0.1), "beta2 is -0.1"),
        (lambda: Adam(epsilon=0.0), "epsilon is 0.0"),
        (lambda: Adam(weight_decay=-1.0), "weight-decay is -1"),
        (lambda: Schedule(hold=-0.1), "--schedule.hold is -0.1"),
        (lambda: Schedule(hold=1.1), "--schedule.hold is 1.1"),
        (lambda: Length(minutes=float("nan")), "one length above 0"),
        (lambda: Validation(every_images=-1), "--validation.every-images is -1"),
        (lambda: Validation(fraction=1.0), "--validation.fraction is 1.0"),
        (lambda: Validation(most=0), "--validation.most is 0"),
        (lambda: short(batch_size=0), "--batch-size is 0"),
        (lambda: short(cuda_graphs=True), "--cuda-graphs needs --compile"),
        (lambda: short(accumulate=0), "--accumulate is 0"),
        (lambda: short(clip_norm=-1.0), "--clip-norm is -1"),
        (lambda: short(average_half_life_images=-1.0), "--average-half-life-images is -1"),
        (lambda: short(save_every_images=-1), "--save-every-images is -1"),
        (lambda: short(threads=-1), "--threads is -1"),
        (lambda: short(seed=2**64), "--seed is 18446744073709551616"),
        (lambda: method_class("x"), "there are acgan, autoencoder"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_option(make, words):
    with pytest.raises(ConfigurationError) as refused:
        make()
    assert words in str(refused.value)


def test_a_recipe_file_with_a_number_out_of_range_says_so():
    text = to_json(short()).replace('"hold": 0.5', '"hold": 5.0')
    with pytest.raises(ConfigurationError, match=r"--schedule.hold is 5.0: choose 0 to 1"):
        from_json(text, lambda name: method_class(name).Config)


@pytest.mark.parametrize(
    "problem",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_memory_that_runs_out_is_told_with_what_to_lower(problem, folder, setting, monkeypatch):
    def play(*_):
        raise problem

    monkeypatch.setattr(Engine, "play", play)
    with pytest.raises(StorageError, match=r"--batch-size .*--accumulate.*--augmentation.crop-px") as told_as:
        pipelines.train(short(), folder, name="large", setting=setting)
    assert told_as.value.exit_code == 5


def test_a_real_allocation_that_fails_is_told():
    with pytest.raises(StorageError), memory_told():
        torch.empty(2**60)


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes differ"), memory_told():
        raise RuntimeError("shapes differ")


def test_runs_in_a_folder_that_cannot_be_written(folder, setting, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="--runs"):
        pipelines.train(short(), folder, name="x", setting=replace(setting, runs=tmp_path / "file"))


@pytest.mark.parametrize("document", [[], {}, 3, {"metric": 1, "value": "high"}, "x"])
@pytest.mark.parametrize("which", ["recipe", "progress", "standing"])
def test_a_foreign_file_does_not_keep_the_other_runs_from_the_list(which, document, folder, setting):
    if which == "standing" and document == {}:
        pytest.skip("a standing without a value is one of a run that was not scored")
    pipelines.train(short(1), folder, name="good", setting=setting)
    snapshot = setting.runs / "foreign" / "snapshots" / "images-000000000001"
    snapshot.mkdir(parents=True)
    for name in ("recipe", "progress", "standing"):
        good = (Shelf(setting.runs / "good" / "snapshots").path(1) / f"{name}.json").read_text()
        (snapshot / f"{name}.json").write_text(json.dumps(document) if name == which else good)
    assert [summary.name for summary in summaries(setting.runs)] == ["good"]
    assert main(["list", "--runs", str(setting.runs)]) == 0


def test_messages_say_what_to_do(tmp_path):
    with pytest.raises(ModelError, match=r"holds no whole checkpoint .*copy it again .*--name"):
        Shelf(tmp_path).newest()
    recipe = short(optimisers={"generators": Adam()})
    with pytest.raises(ConfigurationError, match=r"^--optimisers: .*generators; give one for each network"):
        require_optimisers(recipe, SimpleNamespace(networks=lambda: {"generator": None}))
