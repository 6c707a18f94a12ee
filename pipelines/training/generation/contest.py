"""What a run generates against real samples, beside what a perfect and a trivial generator would score."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from pipelines.evaluating.comparing import FEWEST, Comparison, compare
from pipelines.evaluating.sets import Progress, silent
from pipelines.generating.generate import Generate
from pipelines.scoring.judge import Judge, Score
from pipelines.training.generation.contestants import OURS, REAL, Contestants
from pipelines.training.generation.gaussian import LABEL as TRIVIAL
from pipelines.training.generation.gaussian import FittedGaussian, most_fitted
from pipelines.training.generation.held_out import BATCH, HeldOut
from pipelines.training.generation.made import made_samples
from translate.metrics.energy import energy_distance
from translate.metrics.two_sample import TwoSampleTest, two_sample_test
from translate.metrics.two_sample_classifiers import NearestNeighbours

SEED: Final = 1
"""Another noise than the one by which validation chose the weights."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """The scores of each contestant by label, none where there are too few samples; and what the model made."""

    scores: Contestants
    made: Tensor


def hold_contest(
    generate: Generate,
    held_out: HeldOut,
    training: HeldOut,
    device: torch.device,
    progress: Progress = silent,
    *,
    seed: int = SEED,
) -> Contest:
    """Score the model, training samples and a normal distribution against held-out samples."""
    made = torch.from_numpy(made_samples(generate, held_out, seed))
    rivals = dict(_rivals(training, len(held_out)))
    contestants = {OURS: made, **rivals}
    if min(map(len, contestants.values())) < FEWEST:
        return Contest(scores={}, made=made)
    judged = _pictures if held_out.are_pictures else _points
    return Contest(scores=judged(contestants, held_out, device, progress), made=made)


def _rivals(training: HeldOut, count: int) -> Iterator[tuple[str, Tensor]]:
    cpu = torch.device("cpu")
    chosen = torch.from_numpy(np.random.default_rng(SEED).permutation(len(training))[:count])
    yield REAL, training.chosen(chosen, cpu)
    fitted = training.tensor(0, most_fitted(training.stored.shape[1:]), cpu)
    trivial = FittedGaussian(fitted).draw(count, seed=SEED)
    yield TRIVIAL, trivial.clamp(-1.0, 1.0) if training.are_pictures else trivial


def _pictures(
    contestants: Mapping[str, Tensor], held_out: HeldOut, device: torch.device, progress: Progress
) -> Contestants:
    judge = Judge(device)
    real = judge.embedded(_watched(held_out.batches(device), "held-out samples", len(held_out), progress))
    scores: dict[str, Mapping[str, Score]] = {}
    for label, samples in contestants.items():
        parts = (part.to(device) for part in samples.split(BATCH))
        made = judge.embedded(_watched(parts, label, len(samples), progress))
        scores[label] = _scores(compare(made, real, seed=SEED))
    return scores


def _watched(parts: Iterable[Tensor], what: str, total: int, progress: Progress) -> Iterator[Tensor]:
    done = 0
    for part in parts:
        yield part
        done += len(part)
        progress(f"Looking at {what}", done, total)


def _scores(comparison: Comparison) -> dict[str, Score]:
    kernel, test = comparison.kernel, comparison.test
    plain = {
        "frechet": comparison.frechet.value,
        "precision": comparison.manifold.precision.value,
        "recall": comparison.manifold.recall.value,
        "density": comparison.manifold.density.value,
        "coverage": comparison.manifold.coverage.value,
        **_told_apart(test),
    }
    scores = {"kid": Score(value=kernel.value, standard_error=kernel.standard_error, pictures=kernel.outputs)}
    return scores | {
        name: Score(value=value, standard_error=None, pictures=kernel.outputs) for name, value in plain.items()
    }


def _told_apart(test: TwoSampleTest) -> dict[str, float]:
    return {"two_sample": test.accuracy, "two_sample_p": test.p_exact}


def _points(
    contestants: Mapping[str, Tensor], held_out: HeldOut, device: torch.device, _progress: Progress
) -> Contestants:
    """A second or two, untold."""
    real = held_out.tensor(0, len(held_out), device)
    return {label: _of_points(samples.to(device), real) for label, samples in contestants.items()}


def _of_points(samples: Tensor, real: Tensor) -> dict[str, Score]:
    rows = [points.cpu().double().numpy() for points in (samples, real)]
    test = two_sample_test(*rows, classifier=NearestNeighbours(), seed=SEED)
    plain = {"energy": energy_distance(samples, real), **_told_apart(test)}
    return {name: Score(value=value, standard_error=None, pictures=len(samples)) for name, value in plain.items()}
