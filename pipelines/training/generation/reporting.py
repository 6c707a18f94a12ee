"""The report of a run that generates: what it makes, against held-out samples, and whether it memorises."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from pipelines.evaluating.sets import Progress, silent
from pipelines.generating.generate import Generate
from pipelines.generating.neighbours import nearest
from pipelines.report import Command, DataSummary, Example, Finding, Report, ScoreTable
from pipelines.runs import RunFolder
from pipelines.scoring.judge import Score
from pipelines.scoring.measures import MEASURES
from pipelines.tasks import GENERATE
from pipelines.trained import Trained
from pipelines.training.generation.contest import Contest, hold_contest
from pipelines.training.generation.contestants import OURS, REAL, Contestants, Measured, merged
from pipelines.training.generation.data import Data, open_data
from pipelines.training.generation.diagnose import examine
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.generation.preflight import examined
from pipelines.training.generation.protocols import by_protocols
from pipelines.training.generation.subject import Subject, subject_of
from pipelines.training.reporting import beginning, curves, run_name, usual_steps
from pipelines.training.tables import row_of, table_of
from translate.data.tensors import to_uint8
from translate.recipe import Recipe

_MOST_EXAMPLES = 100
_BESIDE = {"two_sample": "two_sample_p"}
_NEAREST = "distance to the nearest (levels)"
_TOO_FEW = Finding(
    severity="warning",
    message="Too few samples are held out to score this model",
    remedy="add samples, or raise --validation.fraction",
)


def report(folder: RunFolder, device: torch.device, progress: Progress = silent) -> Report:
    """Score what a run's best weights make, and say how good it is.

    On one CPU core that takes from seconds (points) to about two minutes (pictures with classes, stacked digits).
    """
    trained = Trained.read(folder)
    recipe, data = open_data(trained.recipe)
    plain = replace(
        beginning(folder, trained, device),
        data=_summary(data, recipe),
        next_steps=next_steps(folder, recipe, trained),
    )
    name = next((name for name, deploy in trained.method.deploys().items() if deploy.task == GENERATE), None)
    if name is None:
        return plain
    subject = subject_of(Generate(trained.runtime(name, device)), data, device=device, progress=progress)
    contest = hold_contest(subject.generate, subject.held_out, subject.training, device, progress)
    pictures = subject.held_out.are_pictures
    return replace(
        _scored(plain, contest, list(by_protocols(subject)) if contest.scores else []),
        examples=_examples(contest, subject.training) if pictures else (),
        examples_better={_NEAREST: "higher"},  # what is near to a training picture is suspicious
        examples_note=_note(trained, data, subject),
        health=tuple(examine(trained, name, contest.made, subject.held_out, subject.training, curves(folder), device)),
    )


def _scored(plain: Report, contest: Contest, further: Sequence[Measured]) -> Report:
    if not contest.scores:
        return replace(plain, verdicts=(_TOO_FEW,))
    scores = merged([contest.scores, *(part.scores for part in further)])
    found = (finding for part in further for finding in part.findings)
    return replace(plain, verdicts=(*_verdicts(contest.scores), *found), scores=_table(scores))


def _verdicts(contestants: Contestants) -> Iterable[Finding]:
    """For each measure whether the model beats the trivial generator, and how far a perfect one would get."""
    label, rival = next((label, score) for label, score in contestants.items() if label not in (OURS, REAL))
    for name, ours in contestants[OURS].items():
        if name in _BESIDE.values():
            continue
        measure = MEASURES[name]
        wins = measure.is_better(ours.value, rival[name].value)
        yield Finding(
            severity="good" if wins else "warning",
            message=f"{measure.label}: {_with_chance(contestants[OURS], name)} against "
            f"{_with_chance(rival, name)} of a {label}; real samples score {_with_chance(contestants[REAL], name)}",
        )


def _with_chance(scores: Mapping[str, Score], name: str) -> str:
    """A figure, and where it is a test's its p-value: nearly 0 for what a classifier tells apart, any number else."""
    beside = f" (p = {scores[_BESIDE[name]].value:.2g})" if name in _BESIDE else ""
    return f"{scores[name].value:.4g}{beside}"


def _table(contestants: Contestants) -> ScoreTable:
    rows = tuple(row_of(label, scores, ours=label == OURS) for label, scores in contestants.items())
    return table_of(contestants[OURS], rows)


def _examples(contest: Contest, training: HeldOut) -> tuple[Example, ...]:
    """The first samples of the seed, each beside the training picture that is nearest to it."""
    made = to_uint8(contest.made[:_MOST_EXAMPLES], training.picture_port)
    known = training.pixels()
    found = nearest(made, known, k=1)
    return tuple(
        Example(
            key=f"sample {index}",
            output=made[index],
            extra={"nearest": known[found.places[index, 0]]},
            scores={_NEAREST: float(found.distances[index, 0])},
        )
        for index in range(len(made))
    )


def _note(trained: Trained, data: Data, subject: Subject) -> str:
    images = next(iter(trained.cards.values())).images_seen
    chose_too = "" if data.scored == "test" else ", by which the weights were chosen too"
    return (
        f"The first {_MOST_EXAMPLES} samples of one seed, not chosen; beside each the nearest of "
        f"{len(subject.training):,} training samples, pixel by pixel, the closest first. Scored against "
        f"{len(subject.held_out):,} {data.scored} samples{chose_too}; the best weights ({images:,} images)."
    )


def _summary(data: Data, recipe: Recipe[Any]) -> DataSummary:
    counts = {name: len(part) for name, part in data.collection.splits.items()}
    problems = tuple(
        Finding(severity=problem.severity, message=f"{problem.title}: {problem.message}", remedy=problem.fix)
        for problem in examined(recipe)[:20]
    )
    return DataSummary(description=data.description, pictures=counts, licence=data.licence, problems=problems)


def next_steps(folder: RunFolder, recipe: Recipe[Any], trained: Trained) -> tuple[Command, ...]:
    """Commands to paste."""
    name = run_name(folder)
    generates = any(deploy.task == GENERATE for deploy in trained.method.deploys().values())
    own = (
        Command(purpose="Make 64 samples, each a file", line=f"pixturn generate {name} --n 64 -o samples/"),
        Command(purpose="One sheet of them", line=f"pixturn generate {name} --n 64 --seed 7 -o sheet.png"),
    )
    return (*(own if generates else ()), *usual_steps(folder, recipe))
