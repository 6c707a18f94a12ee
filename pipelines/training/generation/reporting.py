"""The report of a run that generates: what it makes, against held-out samples, and whether it memorises."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch

from pipelines.generating.generate import Generate
from pipelines.generating.neighbours import nearest
from pipelines.report import Command, DataSummary, Estimate, Example, Finding, Metric, Report, ScoreRow, ScoreTable
from pipelines.runs import RunFolder
from pipelines.scoring.measures import MEASURES
from pipelines.tasks import GENERATE
from pipelines.trained import Trained
from pipelines.training.generation.contest import OURS, REAL, Contest, hold_contest
from pipelines.training.generation.data import Data, open_data
from pipelines.training.generation.diagnose import examine
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.generation.preflight import examined
from pipelines.training.reporting import beginning, curves, run_name, usual_steps
from translate.data.tensors import to_uint8
from translate.recipe import Recipe

_MOST_SCORED = 1000
_MOST_TRAINING = 10_000
_MOST_EXAMPLES = 100
_NEAREST = "distance to the nearest (levels)"
_TOO_FEW = Finding(
    severity="warning",
    message="Too few samples are held out to score this model",
    remedy="add samples, or raise --validation.fraction",
)


def report(folder: RunFolder, device: torch.device) -> Report:
    """Score what a run's best weights make, and say how good it is."""
    trained = Trained.read(folder)
    recipe, data = open_data(trained.recipe)
    held_out = data.samples(data.scored, most=_MOST_SCORED)
    training = data.samples("train", most=_MOST_TRAINING)
    plain = replace(
        beginning(folder, trained, device),
        data=_summary(data, recipe),
        next_steps=next_steps(folder, recipe, trained),
    )
    name = next((name for name, deploy in trained.method.deploys().items() if deploy.task == GENERATE), None)
    if name is None:
        return plain
    contest = hold_contest(Generate(trained.runtime(name, device)), held_out, training, device)
    return replace(
        plain,
        verdicts=tuple(_verdicts(contest)) if contest.scores else (_TOO_FEW,),
        scores=_table(contest) if contest.scores else None,
        examples=_examples(contest, training) if held_out.are_pictures else (),
        examples_better={_NEAREST: "higher"},  # what is near to a training picture is suspicious
        examples_note=_note(trained, data, held_out, training),
        health=tuple(examine(trained, name, contest.made, held_out, training, curves(folder), device)),
    )


def _verdicts(contest: Contest) -> Iterable[Finding]:
    """For each measure whether the model beats the trivial generator, and how far a perfect one would get."""
    for name, ours in contest.scores[OURS].items():
        measure = MEASURES[name]
        floor = contest.scores[REAL][name].value
        label, rival = next((label, score) for label, score in contest.scores.items() if label not in (OURS, REAL))
        wins = measure.is_better(ours.value, rival[name].value)
        yield Finding(
            severity="good" if wins else "warning",
            message=f"{measure.label}: {ours.value:.4g} against {rival[name].value:.4g} of a {label}; real samples "
            f"score {floor:.4g}",
        )


def _table(contest: Contest) -> ScoreTable:
    ours = contest.scores[OURS]
    metrics = tuple(
        Metric(name=MEASURES[name].label, better=MEASURES[name].better, pictures=score.pictures)
        for name, score in ours.items()
    )
    rows = tuple(
        ScoreRow(
            name=label,
            values={
                MEASURES[name].label: Estimate(mean=score.value, standard_error=score.standard_error)
                for name, score in scores.items()
            },
            ours=label == OURS,
        )
        for label, scores in contest.scores.items()
    )
    return ScoreTable(metrics=metrics, rows=rows)


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


def _note(trained: Trained, data: Data, held_out: HeldOut, training: HeldOut) -> str:
    images = next(iter(trained.cards.values())).images_seen
    return (
        f"The first {_MOST_EXAMPLES} samples of one seed, not chosen; beside each the nearest of {len(training):,} "
        f"training samples, pixel by pixel, the closest first. Scored against {len(held_out):,} {data.scored} samples"
        f"{'' if data.scored == 'test' else ', by which the weights were chosen too'}; the best weights "
        f"({images:,} images)."
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
