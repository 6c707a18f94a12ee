"""The report of a run that translates: its best weights on held-out pictures, beside trivial baselines."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch

from pipelines.evaluating.sets import Progress, silent
from pipelines.report import Command, Example, Finding, Report, ScoreTable
from pipelines.runs import RunFolder
from pipelines.scoring.heldout import HeldOut, shown
from pipelines.scoring.measures import MEASURES
from pipelines.trained import Trained
from pipelines.training.reporting import beginning, curves, run_name, usual_steps
from pipelines.training.tables import OURS, row_of, table_of
from pipelines.training.translation.contest import Contest, hold_contests
from pipelines.training.translation.data import Data, open_data
from pipelines.training.translation.diagnose import examine
from pipelines.training.translation.summary import summarise
from translate.card import Card
from translate.data.tensors import to_uint8
from translate.recipe import Recipe

# All of these lie in memory at once. Fewer than there are: those whose names have the lowest hashes, not the first.
_MOST_SCORED = 2000
_MOST_FITTED = 1000
_MOST_EXAMPLES = 200


def report(folder: RunFolder, device: torch.device, progress: Progress = silent) -> Report:
    """Score a run's best weights on its held-out pictures, and say how they do."""
    trained = Trained.read(folder)
    _, data = open_data(trained.recipe)
    held_out = data.read(data.scored, most=_MOST_SCORED)
    training = data.read(data.training, most=_MOST_FITTED)
    contests = hold_contests(trained, held_out, training, device, progress)
    return _report(folder, trained, data, held_out, training, contests, device)


def _report(
    folder: RunFolder,
    trained: Trained,
    data: Data,
    held_out: HeldOut,
    training: HeldOut,
    contests: list[Contest],
    device: torch.device,
) -> Report:
    return replace(
        beginning(folder, trained, device),
        verdicts=tuple(verdict for contest in contests for verdict in _verdicts(contest)),
        scores=_table(contests),
        examples=_all_examples(contests, held_out, device),
        examples_note=_examples_note(trained, data, held_out, contests),
        health=tuple(examine(trained, held_out, training, contests, curves(folder), device)),
        data=summarise(data, trained.recipe),
        next_steps=next_steps(folder, trained.recipe, next(iter(trained.cards.values()))),
    )


def _verdicts(contest: Contest) -> Iterable[Finding]:
    """For each measure whether the model beats its strongest baseline, and by how much."""
    for name, ours in contest.ours.overall.items():
        rivals = {label: scores.overall[name].value for label, scores in contest.scores.items() if label != OURS}
        if not rivals:
            continue
        measure = MEASURES[name]
        label, best = sorted(rivals.items(), key=lambda rival: rival[1], reverse=measure.better == "higher")[0]
        wins = measure.is_better(ours.value, best)
        yield Finding(
            severity="good" if wins else "warning",
            message=f"{contest.deploy}, {measure.label}: {ours.value:.4g} against {best:.4g} {measure.unit} of the "
            f"strongest baseline ({label})".replace("  ", " "),
        )


def _table(contests: list[Contest]) -> ScoreTable | None:
    columns = {name: score for contest in contests for name, score in contest.ours.overall.items()}
    if not columns:
        return None
    rows = tuple(
        row_of(f"{contest.deploy}: {label}", scores.overall, ours=label == OURS)
        for contest in contests
        for label, scores in contest.scores.items()
    )
    return table_of(columns, rows)


def _all_examples(contests: list[Contest], held_out: HeldOut, device: torch.device) -> tuple[Example, ...]:
    """Of every direction; where there are several, each example says of which it is."""
    most = _MOST_EXAMPLES // len(contests)
    several = len(contests) > 1
    return tuple(
        example
        for contest in contests
        for example in _examples(contest, held_out, most, f"{contest.deploy}: " if several else "", device)
    )


@torch.inference_mode()
def _examples(contest: Contest, held_out: HeldOut, most: int, prefix: str, device: torch.device) -> Iterable[Example]:
    port = held_out.ports[contest.target][0]
    for index in held_out.sample(contest.source, most):
        made = contest.translate(held_out.tensor(contest.source, [index], device))
        yield Example(
            key=prefix + held_out.keys[contest.source][index],
            input=held_out.shown(contest.source, index),
            output=shown(to_uint8(made[:, : port.channels], port)[0], port),
            truth=held_out.shown(contest.target, index) if held_out.paired else None,
            scores={MEASURES[name].label: float(values[index]) for name, values in contest.ours.each.items()},
        )


def _examples_note(trained: Trained, data: Data, held_out: HeldOut, contests: list[Contest]) -> str:
    split = "test" if data.scored is data.test else "validation"
    counts = ", ".join(
        f"{min(held_out.size(name), _MOST_EXAMPLES // len(contests)):,} shown and {held_out.size(name):,} scored of "
        f"{len(data.scored.domains.get(name, data.scored.domains['b'])):,} {split} pictures of {name}"
        for name in dict.fromkeys(contest.source for contest in contests)
    )
    images = trained.cards[contests[0].deploy].images_seen
    return f"{counts}, never trained on; the best weights ({images:,} images)."


def next_steps(folder: RunFolder, recipe: Recipe[Any], card: Card) -> tuple[Command, ...]:
    """Commands to paste; a model of several inputs is given a picture, or a folder, for each."""
    name = run_name(folder)
    alone = len(card.inputs) == 1
    pictures = "picture.png" if alone else " ".join(f"{port.name}.png" for port in card.inputs)
    folders = "pictures/" if alone else " ".join(f"{port.name}/" for port in card.inputs)
    return (
        Command(
            purpose="Translate a picture of your own, at any size" if alone else "Translate pictures of your own",
            line=f"pixturn run {name} {pictures} -o out.png",
        ),
        Command(
            purpose="Translate a folder" if alone else "Translate folders, by equal names",
            line=f"pixturn run {name} {folders} -o translated/",
        ),
        *usual_steps(folder, recipe),
    )
