"""Tiny runs by the command, on cuts of a photograph."""

import json
from pathlib import Path

import numpy as np
from command_line import done
from PIL import Image
from tiny import photograph

from pipelines.runs import RunFolder
from pipelines.trained import config_class
from translate.recipe import from_json

TRAINED = 16
TESTED = 5
TINY = (
    *("--augmentation.load-px", "32", "--augmentation.crop-px", "32"),
    *("--config.generator.width", "4", "--config.discriminator.width", "4", "--config.discriminator.layers", "1"),
    *("--batch-size", "4", "--workers", "0", "--threads", "1"),
    *("--validation.most", "4", "--validation.fraction", "0.3", "--validation.every-images", "16"),
)
SHORT = ("--images", "32")
RESNET = ("--config.generator.blocks", "1")
COMPARES = ("--validation.best", "l1")


def crop(index: int, height: int = 36, width: int = 40) -> np.ndarray:
    return photograph("astronaut")[index * 4 : index * 4 + height, index * 3 : index * 3 + width]


def drawn(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def train(recipe, data, name, runs, *options, length=SHORT) -> RunFolder:
    done("train", recipe, "--data", data, "--name", name, "--runs", runs, *TINY, *length, *options)
    return RunFolder(path=runs / name)


def metrics_of(run: RunFolder) -> list[dict]:
    return [json.loads(line) for line in run.metrics.read_text().splitlines()]


def snapshot_at(run: RunFolder, images: int) -> Path:
    return run.snapshots / f"images-{images:012d}"


def recipe_of(run: RunFolder):
    newest = sorted(run.snapshots.iterdir())[-1]
    return from_json((newest / "recipe.json").read_text(), config_class)
