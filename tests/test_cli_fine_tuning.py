"""A CycleGAN by the command: either direction, and runs that begin with its weights."""

import numpy as np
import pytest
import torch
from cli_runs import COMPARES, RESNET, TINY, crop, drawn, metrics_of, snapshot_at, train
from command_line import done, pixturn
from PIL import Image
from safetensors.numpy import load_file

import pipelines
from pipelines.runs import RunFolder
from pipelines.trained import Trained

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture(scope="module")
def unpaired_run(pairs, runs):
    averaged = ("--average-half-life-images", "100")
    return train("cyclegan", pairs, "both-ways", runs, *RESNET, *COMPARES, *averaged, "--no-report")


def first_scores(run: RunFolder) -> dict:
    return next(line for line in metrics_of(run) if "validation/l1" in line)


def test_fine_tuning_starts_from_the_best_weights(unpaired_run, pairs, runs):
    """Without learning the first scores are the source's; instance norm has no statistics that would move."""
    networks = ("generator-ab", "generator-ba", "discriminator-a", "discriminator-b")
    still = [word for name in networks for word in (f"--optimisers.{name}.learning-rate", "0")]
    other = ("--seed", "1", *RESNET, *COMPARES, "--no-report", *still)
    tuned = train("cyclegan", pairs, "still", runs, "--start-from", "both-ways", *other)
    card = pipelines.load(unpaired_run.path, device="cpu").card
    source = load_file(snapshot_at(unpaired_run, card.images_seen) / "averaged.safetensors")
    start = load_file(snapshot_at(tuned, 0) / "averaged.safetensors")
    assert source.keys() == start.keys()
    assert all(np.array_equal(source[name], start[name]) for name in source)
    assert first_scores(tuned)["validation/l1"] == card.metrics["l1"]


def test_fine_tuning_refuses_other_networks(unpaired_run, pairs, runs):
    other = ("--config.generator.width", "8", "--start-from", "both-ways")
    outcome = pixturn("train", "cyclegan", "--data", pairs, "--name", "wide", "--runs", runs, *TINY, *RESNET, *other)
    assert outcome.code == 2
    assert "--start-from" in outcome.err


def test_direction_picks_the_other_generator(unpaired_run, runs, tmp_path):
    pixels = crop(5, 32, 32)
    drawn(pixels, tmp_path / "picture.png")
    made = {}
    for direction in ("AtoB", "BtoA"):
        target = tmp_path / f"{direction}.png"
        options = ("--direction", direction, "--runs", runs, "--device", "cpu")
        done("run", "both-ways", tmp_path / "picture.png", "-o", target, *options)
        made[direction] = np.asarray(Image.open(target))
    method = Trained.read(unpaired_run).method
    numbers = torch.from_numpy(pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1))
    for direction, generator in (("AtoB", method.generator_ab), ("BtoA", method.generator_ba)):
        with torch.inference_mode():
            expected = ((generator(numbers)[0].numpy().transpose(1, 2, 0) + 1) * 127.5).round().clip(0, 255)
        assert np.abs(made[direction] - expected).max() <= 1
    assert np.abs(made["AtoB"].astype(int) - made["BtoA"]).max() > 3
