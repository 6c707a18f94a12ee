"""Held-out pictures, the judge, and what a report computes from a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import CPU, photographed, tiny_recipe
from torch.nn.functional import one_hot
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from pipelines.report import Report
from pipelines.runs import PROGRESS, STANDING, RunFolder
from pipelines.scoring.heldout import read_held_out, shown
from pipelines.scoring.judge import Judge
from pipelines.scoring.measures import MEASURES
from pipelines.trained import best_snapshot
from pipelines.training import Setting, train
from pipelines.training.reporting import training_minutes, write_run_report
from pipelines.training.translation import reporting
from pipelines.training.translation.reporting import next_steps
from translate.card import Card, LabelMap, Picture
from translate.data.domain import ports_of
from translate.data.holdout import hash_of
from translate.data.items import Item, Source, Split
from translate.errors import ConfigurationError
from translate.metrics.labels import mean_iou, pixel_accuracy
from translate.recipe import Length, Validation
from translate.storage import shelf as shelf_module
from translate.storage.shelf import Shelf
from translate.storage.snapshot import Snapshot

RGB = Picture(name="a")


def put(folder: Path, names: list[str], seed: int = 0) -> tuple[Item, ...]:
    folder.mkdir(parents=True)
    places = np.random.default_rng(seed).integers(0, 88, (len(names), 2)).tolist()
    for name, place in zip(names, places, strict=True):
        Image.fromarray(photographed(RGB, *place, 40)).save(folder / f"{name}.png")
    return tuple(Item(key=name, sources=(Source(path=folder / f"{name}.png"),)) for name in names)


# Which pictures, and how they look


@pytest.mark.parametrize("paired", [True, False])
def test_of_many_pictures_those_with_the_lowest_hashes_are_read_and_pairs_stay_together(paired, tmp_path):
    names = [f"p{index:02d}" for index in range(12)]
    domains = {"a": put(tmp_path / "A", names), "b": put(tmp_path / "B", names if paired else names[:7], seed=1)}
    ports = {"a": ports_of(("rgb",), "a"), "b": ports_of(("rgb",), "b")}
    recipe = tiny_recipe("cyclegan")
    split = Split(domains=domains, paired=paired)
    everything = read_held_out(split, ports, recipe.augmentation)
    some = read_held_out(split, ports, recipe.augmentation, most=4)
    for domain, keys in some.keys.items():
        there = [item.key for item in domains[domain]]
        assert set(keys) == set(sorted(there, key=hash_of)[:4])
        assert list(keys) == sorted(keys)
        assert keys != tuple(there[:4]), "not the first by the alphabet"
        places = [there.index(key) for key in keys]
        assert torch.equal(some.arrays[domain], everything.arrays[domain][places])
        assert [there[index] for index in everything.sample(domain, 4)] == list(keys)
        assert torch.equal(everything.tensor(domain, places, CPU), some.tensor(domain, slice(None), CPU))


@pytest.mark.parametrize(("classes", "levels"), [(2, [0, 255]), (4, [0, 85, 170, 255])])
def test_classes_are_spread_over_the_grey_levels(classes, levels):
    labels = np.arange(classes, dtype=np.uint8).reshape(1, classes, 1)
    picture = shown(labels, LabelMap(name="b", classes=classes))
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[level] * 3 for level in levels]]


def test_classes_beyond_a_byte_do_not_wrap():
    labels = np.arange(1000, dtype=np.uint16).reshape(1, 1000, 1)
    levels = shown(labels, LabelMap(name="b", classes=1000))[0, :, 0].astype(int)
    assert (levels[0], levels[-1]) == (0, 255)
    assert (np.diff(levels) >= 0).all()


def test_pictures_are_shown_as_they_are():
    grey = np.array([[[7], [200]]], dtype=np.uint8)
    assert shown(grey, Picture(name="a", channels=1)).tolist() == [[[7] * 3, [200] * 3]]
    rgba = np.arange(8, dtype=np.uint8).reshape(1, 2, 4)
    assert np.array_equal(shown(rgba, Picture(name="a", channels=4)), rgba[..., :3])


# The judge


def label_maps(classes: int = 5, count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    true = torch.randint(0, classes - 1, (count, 8, 9), generator=random)  # the last class occurs in outputs at most
    made = torch.where(torch.rand(true.shape, generator=random) < 0.6, true, (true + 1) % classes)
    return made, true


def scores_of(labels: torch.Tensor, classes: int = 5) -> torch.Tensor:
    return one_hot(labels, classes).permute(0, 3, 1, 2).float() * 2 - 1


def test_accuracy_and_iou_agree_with_torchmetrics():
    made, true = label_maps()
    outputs, truths = scores_of(made), scores_of(true)
    for index in range(len(made)):
        accuracy = multiclass_accuracy(made[index], true[index], num_classes=5, average="micro")
        each = multiclass_jaccard_index(made[index], true[index], num_classes=5, average="none")
        occurs = [label for label in range(5) if label in made[index] or label in true[index]]
        assert pixel_accuracy(outputs, truths)[index].item() == pytest.approx(accuracy.item())
        assert mean_iou(outputs, truths)[index].item() == pytest.approx(each[occurs].mean().item())


def test_iou_by_hand():
    made, true = torch.tensor([[[0, 0, 1, 1]]]), torch.tensor([[[0, 1, 1, 1]]])
    value = mean_iou(scores_of(made, 3), scores_of(true, 3))
    assert value.item() == pytest.approx((1 / 2 + 2 / 3) / 2), "the class that occurs nowhere does not count"
    with pytest.raises(ConfigurationError, match="shapes"):
        mean_iou(torch.zeros(1, 3, 2, 2), torch.zeros(1, 4, 2, 2))


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("rgb",), ["perceptual", "l1", "psnr", "ssim"]),
        (("rgba",), ["perceptual", "l1", "psnr", "ssim"]),
        (("labels:3",), ["iou", "accuracy", "l1"]),
        (("rgb", "grey"), ["l1", "psnr", "ssim"]),
    ],
)
def test_figures_fit_what_the_output_is(kinds, expected):
    ports = ports_of(kinds, "b")
    truths = torch.rand(2, sum(port.channels for port in ports), 16, 16) * 2 - 1
    figures = Judge(CPU).each_pair(-truths, truths, ports)
    assert list(figures) == expected
    assert figures.keys() <= MEASURES.keys()
    assert all(len(values) == 2 for values in figures.values())


# The report


def test_pauses_between_stop_and_resume_are_no_training():
    steps = [60.0 * index for index in range(11)]
    resumed = [86_400.0 + time for time in steps]
    assert training_minutes(steps + resumed) == pytest.approx(20.0)
    assert training_minutes([]) == training_minutes([5.0]) == 0.0


def test_lines_that_are_always_far_apart_are_training():
    assert training_minutes([900.0 * index for index in range(5)]) == pytest.approx(60.0)


def card(*kinds: str) -> Card:
    return Card(
        task="translate", method="pix2pix", name="n", inputs=ports_of(kinds, "a"), outputs=ports_of(("rgb",), "b")
    )


@pytest.mark.parametrize(
    ("kinds", "pictures", "folders"),
    [(("rgb",), "picture.png", "pictures/"), (("rgb", "grey"), "a.png a2.png", "a/ a2/")],
)
def test_commands_give_a_model_as_many_pictures_as_it_takes(kinds, pictures, folders, tmp_path):
    lines = [step.line for step in next_steps(RunFolder(path=tmp_path), tiny_recipe("pix2pix"), card(*kinds))]
    assert lines[0] == f"pixturn run {tmp_path} {pictures} -o out.png"
    assert lines[1] == f"pixturn run {tmp_path} {folders} -o translated/"


@pytest.mark.parametrize(("best", "reads"), [(None, 1), (32, 1), (16, 2)])
def test_each_checkpoint_is_read_once(best, reads, tmp_path, monkeypatch):
    folder = RunFolder(path=tmp_path)
    for images in (16, 32):
        documents = {PROGRESS: {"images": images}, STANDING: {"images": best if best in (None, 16) else images}}
        Shelf(folder.snapshots).save(images, Snapshot(documents=documents), best=None)
    read: list[Path] = []
    whole = shelf_module.read_snapshot
    monkeypatch.setattr(
        shelf_module, "read_snapshot", lambda path, **which: (read.append(path), whole(path, **which))[1]
    )
    assert best_snapshot(folder).document(PROGRESS)["images"] == (16 if best == 16 else 32)
    assert len(read) == reads


def reported(recipe: str, data: Path, tmp_path: Path, **changes: Any) -> Report:
    changes = {"batch_size": 4, "length": Length(images=8), "validation": Validation(best="l1"), **changes}
    setting = Setting(device="cpu", workers=0, runs=tmp_path / "runs", check=False, report=False)
    run = train(tiny_recipe(recipe, **changes), data, name="run", setting=setting)
    return write_run_report(run, device=CPU)


def test_a_report_shows_and_scores_both_directions_and_says_how_many_of_how_many(tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "_MOST_SCORED", 5)
    monkeypatch.setattr(reporting, "_MOST_EXAMPLES", 6)
    names = [f"p{index:02d}" for index in range(20)]
    for folder, pictures, seed in (("trainA", names[8:], 0), ("trainB", names[8:], 1), ("testA", names[:8], 2)):
        put(tmp_path / "set" / folder, pictures, seed)
    put(tmp_path / "set" / "testB", names[:8], 3)
    report = reported("cyclegan", tmp_path / "set", tmp_path)
    chosen = sorted(sorted(names[:8], key=hash_of)[:5], key=hash_of)[:3]
    shown_keys = [f"{deploy}: {name}" for deploy in ("AtoB", "BtoA") for name in sorted(chosen)]
    assert [example.key for example in report.examples] == shown_keys
    ours = [(example.input, example.truth) for example in report.examples]
    assert all(np.array_equal(ours[index][0], ours[index + 3][1]) for index in range(3)), "the other way round"
    assert "3 shown and 5 scored of 8 test pictures of a" in report.examples_note
    assert "of 8 test pictures of b" in report.examples_note
    assert {verdict.message.partition(",")[0] for verdict in report.verdicts} == {"AtoB", "BtoA"}
    assert report.scores is not None
    assert {metric.pictures for metric in report.scores.metrics} == {5}


def test_label_maps_are_scored_as_such_and_shown_in_greys(tmp_path):
    names = [f"p{index:02d}" for index in range(9)]
    for item in put(tmp_path / "set" / "trainA", names):
        pixels = np.asarray(Image.open(item.sources[0].path))
        (tmp_path / "set" / "trainB").mkdir(exist_ok=True)
        Image.fromarray((pixels.mean(axis=2) > 128).astype(np.uint8)).save(tmp_path / f"set/trainB/{item.key}.png")
    report = reported("pix2pix", tmp_path / "set", tmp_path, b=("labels:2",), validation=Validation(best="iou"))
    assert report.scores is not None
    assert [metric.name for metric in report.scores.metrics] == ["mean IoU", "pixel accuracy", "L1"]
    (example,) = report.examples
    assert example.truth is not None
    assert set(np.unique(example.truth)) == set(np.unique(example.output)) | {0, 255} == {0, 255}
