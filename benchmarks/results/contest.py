"""Contestants answer the same cases, in turns, with the same threads."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import cv2
import torch
import tyro

from benchmarks.results.photos import Pixels
from benchmarks.results.standings import CPU_SECONDS, SECONDS, Standing
from pipelines.scoring.measures import JUDGE
from translate.metrics.perceptual import PerceptualDistance
from translate.networks.efficientnet import EfficientNetLite

Given = TypeVar("Given")
Figures = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to compare."""

    photos: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PHOTOS")]
    """Folder of held-out photos."""
    models: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")] = ()
    """Bundles or .onnx files."""
    most: int | None = None
    """Only so many photos, drawn by the hash of their names."""
    threads: int = 1
    """For every contestant."""
    json: Path | None = None
    """Write all figures to this file as well."""
    sheet: Path | None = None
    """Draw the photos at the 10th, 50th and 90th percentile of the first MODEL's gain, a PNG."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case(Generic[Given]):
    """What contestants are given, and the right answer, H x W x 3."""

    key: str
    given: Given
    truth: Pixels


Answers = Mapping[str, Callable[[Given], Pixels]]
"""Contestants by name."""


def contest(
    cases: Iterable[Case[Given]], contestants: Answers[Given], judge: Callable[[Case[Given], Pixels], Figures]
) -> tuple[list[str], list[Standing]]:
    """The cases' names, and what each contestant scored.

    They take turns, so that whatever else the machine does hits all alike; each is called once before it is timed.
    """
    keys: list[str] = []
    found: dict[str, list[Figures]] = {name: [] for name in contestants}
    for case in cases:
        for name, answer in contestants.items():
            if not keys:
                answer(case.given)
            found[name].append(_tried(case, answer, judge))
        keys.append(case.key)
        print(f"\r{len(keys)} cases", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return keys, [Standing(name=name, each=_by_figure(figures)) for name, figures in found.items()]


def _tried(
    case: Case[Given], answer: Callable[[Given], Pixels], judge: Callable[[Case[Given], Pixels], Figures]
) -> Figures:
    start, computed = time.perf_counter(), time.process_time()
    made = answer(case.given)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - computed
    megapixels = case.truth.shape[0] * case.truth.shape[1] / 1e6
    return {**judge(case, made), SECONDS: seconds / megapixels, CPU_SECONDS: cpu_seconds / megapixels}


def _by_figure(figures: Sequence[Figures]) -> dict[str, tuple[float, ...]]:
    return {key: tuple(each[key] for each in figures) for key in figures[0]}


def compute_with(threads: int) -> None:
    """Give every contestant the same number of threads: the process may use so many cores."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def perceptual_distance() -> PerceptualDistance:
    """By the network that no shipped model learnt from."""
    return PerceptualDistance(EfficientNetLite(variant="lite1"), name=JUDGE)
