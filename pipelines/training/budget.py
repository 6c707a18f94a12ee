"""A budget of minutes, as a number of images: measured on a throw-away engine, so that the run itself stays exact."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from pipelines.training.kit import Data, kit_of
from pipelines.training.resolve import VALIDATIONS, with_images
from pipelines.training.session import DomainStream, Session, open_session
from translate.processes import Processes
from translate.recipe import Length, Recipe

_log = logging.getLogger(__name__)

_WARM_UP_ITERATIONS = 3
_LEAST_ITERATIONS = 5
_SHARE_OF_BUDGET = 0.03
_LONGEST_MEASUREMENT_SEC = 60.0
# Steps slow down a little once a CPU is warm, and checkpoints take their time.
_RESERVE = 0.95
_SHARE_OF_VALIDATION = 0.2
_LEAST_VALIDATIONS = 2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a budget is spent on: training samples, and how often they are interrupted by a validation."""

    images: int
    validations: int


def fit_to_budget(
    recipe: Recipe[Any],
    data: Data,
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
    validation_sec = _seconds_of_validation(session, 0.5 * _SHARE_OF_VALIDATION * budget_sec)
    rate = images_per_sec(
        session,
        warm_up=_WARM_UP_ITERATIONS,
        least=_LEAST_ITERATIONS,
        at_least_sec=min(_LONGEST_MEASUREMENT_SEC, _SHARE_OF_BUDGET * budget_sec),
    )
    left_sec = _RESERVE * (budget_sec - (time.monotonic() - started))
    plan = plan_within(left_sec, rate, validation_sec, recipe.validation.every_images)
    if processes.is_first and plan.validations * validation_sec > _SHARE_OF_VALIDATION * left_sec:
        _warn_of_validations(recipe, plan, validation_sec)
    plan = _agreed(plan, processes)
    return with_images(recipe, plan.images, plan.validations)


def plan_within(left_sec: float, rate: float, validation_sec: float, every_images: int) -> Plan:
    """How to spend the seconds that are left.

    Args:
        left_sec: Seconds for training and validations.
        rate: Images trained a second.
        validation_sec: Seconds of one validation.
        every_images: Images between two validations; 0: as few to twenty validations as a fifth of the time takes.
    """
    if every_images:
        images = max(1, int(left_sec / (1.0 / rate + validation_sec / every_images)))
        return Plan(images=images, validations=math.ceil(images / every_images))
    affordable = int(_SHARE_OF_VALIDATION * left_sec / max(validation_sec, 1e-9))
    validations = max(_LEAST_VALIDATIONS, min(VALIDATIONS, affordable))
    # Where even those are too much, half of the time still trains, and the run takes longer than it should.
    training_sec = max(left_sec - validations * validation_sec, 0.5 * left_sec)
    return Plan(images=max(1, int(rate * training_sec)), validations=validations)


def _warn_of_validations(recipe: Recipe[Any], plan: Plan, validation_sec: float) -> None:
    _log.warning(
        "One validation takes %.0f seconds, so %d of them would use up much of the %.3g minutes: lower "
        "--validation.most (%d pictures), or give more minutes",
        validation_sec,
        plan.validations,
        recipe.length.minutes,
        recipe.validation.most,
    )


def _seconds_of_validation(session: Session, enough_sec: float) -> float:
    """Seconds of a validation: of the second one, unless the first already took long."""
    validator = kit_of(session.recipe).validator(session)
    first = _seconds(validator.measure)  # the judge's first pass allocates, and embeds the real pictures once
    return first if first > enough_sec else _seconds(validator.measure)


def _seconds(do: Callable[[], object]) -> float:
    started = time.monotonic()
    do()
    return time.monotonic() - started


def images_per_sec(session: Session, *, warm_up: int, least: int, at_least_sec: float) -> float:
    """Images a second of real training steps: `least` of them and for `at_least_sec`, after some to warm up."""
    stream = session.stream()
    try:
        for _ in range(warm_up):
            session.engine.play(stream)
        return _rate(session, stream, least, at_least_sec)
    finally:
        stream.batches.close()


def _rate(session: Session, stream: DomainStream, least: int, at_least_sec: float) -> float:
    engine = session.engine
    _wait_for(engine.device)
    before, started, iterations = engine.images, time.monotonic(), 0
    # Clocks differ between processes, and a step takes all of them: they go on until none wants to.
    while engine.processes.any_process(iterations < least or time.monotonic() - started < at_least_sec):
        engine.play(stream)
        iterations += 1
    _wait_for(engine.device)
    return (engine.images - before) / (time.monotonic() - started)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _agreed(plan: Plan, processes: Processes) -> Plan:
    """The first process's plan, so that all stop together."""
    counts = torch.tensor([plan.images, plan.validations])
    processes.copy_from_first([counts])
    images, validations = counts.tolist()
    return Plan(images=images, validations=validations)
