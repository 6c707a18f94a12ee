"""A budget of minutes, as a number of images: measured on a throw-away engine, so that the run itself stays exact."""

import time
from dataclasses import replace
from typing import Any

import torch

from pipelines.scoring.heldout import HeldOut
from pipelines.training.data import Data
from pipelines.training.resolve import VALIDATIONS, with_images
from pipelines.training.session import Session, open_session
from pipelines.training.validation import Validator
from translate.processes import Processes
from translate.recipe import Length, Recipe

_WARM_UP_ITERATIONS = 3
_LEAST_ITERATIONS = 5
_SHARE_OF_BUDGET = 0.03
_LONGEST_MEASUREMENT_SEC = 60.0
# Steps slow down a little once a CPU is warm, and checkpoints take their time.
_RESERVE = 0.95


def fit_to_budget(
    recipe: Recipe[Any],
    data: Data,
    held_out: HeldOut,
    device: torch.device,
    processes: Processes,
    workers: int,
) -> Recipe[Any]:
    """The recipe with the number of images that its minutes allow, validation included."""
    if recipe.length.minutes is None:
        return recipe
    started = time.monotonic()
    budget_sec = 60.0 * recipe.length.minutes
    trial = replace(recipe, length=Length(images=10**9))
    session = open_session(trial, data, device, processes, workers)
    validation_sec = _seconds_of_validation(session, held_out)
    rate = images_per_sec(
        session,
        warm_up=_WARM_UP_ITERATIONS,
        least=_LEAST_ITERATIONS,
        at_least_sec=min(_LONGEST_MEASUREMENT_SEC, _SHARE_OF_BUDGET * budget_sec),
    )
    left_sec = _RESERVE * (budget_sec - (time.monotonic() - started))
    validations = VALIDATIONS if recipe.validation.every_images == 0 else 0
    images = int(rate * max(1.0, left_sec - validations * validation_sec))
    return with_images(recipe, _agreed(images, device, processes))


def _seconds_of_validation(session: Session, held_out: HeldOut) -> float:
    validator = Validator(session, held_out)
    validator.measure()  # the judge's first pass allocates, and embeds the real pictures once
    started = time.monotonic()
    validator.measure()
    return time.monotonic() - started


def images_per_sec(session: Session, *, warm_up: int, least: int, at_least_sec: float) -> float:
    """Images a second of real training steps: `least` of them and for `at_least_sec`, after some to warm up."""
    stream = session.stream()
    for _ in range(warm_up):
        session.engine.play(stream)
    _wait_for(session.engine.device)
    before, started, iterations = session.engine.images, time.monotonic(), 0
    while iterations < least or time.monotonic() - started < at_least_sec:
        session.engine.play(stream)
        iterations += 1
    _wait_for(session.engine.device)
    stream.batches.close()
    return (session.engine.images - before) / (time.monotonic() - started)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _agreed(images: int, device: torch.device, processes: Processes) -> int:
    """The first process's count, so that all stop together."""
    count = torch.tensor([max(1, images)], device=device)
    processes.copy_from_first([count])
    return int(count.item())
