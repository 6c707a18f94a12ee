"""The report of a run: its best weights on the held-out pictures, beside trivial baselines, and how it got there."""

import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from shlex import quote
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape

from pipelines.methods import method_class
from pipelines.report import (
    Chart,
    Command,
    Estimate,
    Example,
    Finding,
    Metric,
    Report,
    ScoreRow,
    ScoreTable,
    group_series,
    write_report,
)
from pipelines.report.figures import write_figures
from pipelines.report.model import Severity
from pipelines.runs import RECIPE, RUNS, RunFolder
from pipelines.scoring.heldout import HeldOut, read_held_out, shown
from pipelines.scoring.judge import Scores
from pipelines.scoring.measures import MEASURES
from pipelines.trained import Trained
from pipelines.training.contest import OURS, Contest, hold_contests
from pipelines.training.data import Data, open_data
from pipelines.training.data_summary import summarise
from pipelines.training.diagnose import examine
from pipelines.training.observers import read_metrics
from pipelines.training.options import network_options
from translate.card import Card
from translate.data.tensors import to_uint8
from translate.devices import describe_device
from translate.recipe import Recipe

_MARKS: Mapping[Severity, str] = {
    "good": "[green]✓[/green]",
    "info": "·",
    "warning": "[yellow]![/yellow]",
    "error": "[red]✗[/red]",
}
# All of these lie in memory at once. Fewer than there are: those whose names have the lowest hashes, not the first.
_MOST_SCORED = 2000
_MOST_FITTED = 1000
_MOST_EXAMPLES = 200
_LONGEST_PAUSE_SEC = 300.0


def write_run_report(folder: RunFolder, *, device: torch.device) -> Report:
    """Score a run's best weights on its held-out pictures, write the report and its figures, and give what it says."""
    trained = Trained.read(folder)
    data = open_data(trained.recipe)
    domains = trained.recipe.spec().domains
    held_out = read_held_out(data.scored, domains, trained.recipe.augmentation, most=_MOST_SCORED)
    training = read_held_out(data.training, domains, trained.recipe.augmentation, most=_MOST_FITTED)
    contests = hold_contests(trained, held_out, training, device)
    report = _report(folder, trained, data, held_out, training, contests, device)
    write_report(folder.report, report)
    write_figures(folder.figures, report)
    return report


def tell_outcome(report: Report, folder: RunFolder, console: Console) -> None:
    """Print what the report says first and what to do next."""
    for finding in (*report.verdicts, *(report.health or ())):
        mark = _MARKS[finding.severity]
        console.print(f"{mark} {escape(finding.message)}", highlight=False, soft_wrap=True)
    console.print(f"\nThe report: [bold]{escape(str(folder.report))}[/bold]", highlight=False, soft_wrap=True)
    for command in report.next_steps:
        console.print(f"{command.purpose}:\n    {escape(command.line)}", highlight=False, soft_wrap=True)


def _report(
    folder: RunFolder,
    trained: Trained,
    data: Data,
    held_out: HeldOut,
    training: HeldOut,
    contests: list[Contest],
    device: torch.device,
) -> Report:
    images, total = trained.images, trained.recipe.length.images or 0
    lines = read_metrics(folder.metrics)
    return Report(
        title=f"{folder.name}: {trained.recipe.method}",
        method=trained.recipe.method,
        name=folder.name,
        status=f"{'finished' if images >= total else 'so far'}: {images:,} of {total:,} images",
        started=datetime.fromtimestamp(lines[0]["time"] if lines else datetime.now(UTC).timestamp(), UTC),
        minutes=training_minutes([line["time"] for line in lines]),
        verdicts=tuple(verdict for contest in contests for verdict in _verdicts(contest)),
        scores=_table(contests),
        examples=_all_examples(contests, held_out, device),
        examples_note=_examples_note(trained, data, held_out, contests),
        charts=_charts(lines),
        health=tuple(examine(trained, held_out, training, contests, _curves(lines), device)),
        data=summarise(data, trained.recipe),
        recipe=trained.snapshot.document(RECIPE),
        environment=_environment(trained, device),
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
    names = {name: score.pictures for contest in contests for name, score in contest.ours.overall.items()}
    if not names:
        return None
    metrics = tuple(
        Metric(name=MEASURES[name].label, better=MEASURES[name].better, unit=MEASURES[name].unit, pictures=pictures)
        for name, pictures in names.items()
    )
    rows = [
        ScoreRow(name=f"{contest.deploy}: {label}", values=_estimates(scores), ours=label == OURS)
        for contest in contests
        for label, scores in contest.scores.items()
    ]
    return ScoreTable(metrics=metrics, rows=tuple(rows))


def _estimates(scores: Scores) -> dict[str, Estimate]:
    return {
        MEASURES[name].label: Estimate(mean=score.value, standard_error=score.standard_error)
        for name, score in scores.overall.items()
    }


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
        f"{len(data.scored.domains[name]):,} {split} pictures of {name}"
        for name in dict.fromkeys(contest.source for contest in contests)
    )
    images = trained.cards[contests[0].deploy].images_seen
    return f"{counts}, never trained on; the best weights ({images:,} images)."


def _charts(lines: list[dict[str, float]]) -> tuple[Chart, ...]:
    return group_series(_series(lines), better={name: measure.better for name, measure in MEASURES.items()})


def _series(lines: list[dict[str, float]]) -> dict[str, list[tuple[int, float]]]:
    series: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in {"images", "time"}:
                series.setdefault(name, []).append((int(line["images"]), value))
    return series


def _curves(lines: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [value for _, value in points] for name, points in _series(lines).items()}


def training_minutes(times: Sequence[float]) -> float:
    """Time spent training, from the times (in seconds) at which figures were recorded.

    A gap much longer than usual, and than five minutes, is one between a stop and a resume, and does not count.
    """
    gaps = [later - earlier for earlier, later in pairwise(times)]
    longest = max(_LONGEST_PAUSE_SEC, 10 * statistics.median(gaps)) if gaps else 0.0
    return sum(gap for gap in gaps if 0 < gap <= longest) / 60


def _environment(trained: Trained, device: torch.device) -> dict[str, str]:
    versions: Mapping[str, str] = next(iter(trained.cards.values())).versions
    return {
        "device of this report": describe_device(device),
        "precision": trained.recipe.precision,
        "threads": str(trained.recipe.threads),
        "python": sys.version.split()[0],
        **versions,
    }


def next_steps(folder: RunFolder, recipe: Recipe[Any], card: Card) -> tuple[Command, ...]:
    """Commands to paste; a model of several inputs is given a picture, or a folder, for each."""
    by_name = (RUNS / folder.name).resolve() == folder.path.resolve()
    name = quote(folder.name if by_name else str(folder.path))
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
        Command(
            purpose="Look at the curves while a run goes on", line=f"tensorboard --logdir {quote(str(folder.path))}"
        ),
        Command(purpose="Fine-tune from these weights", line=_fine_tune(recipe, name)),
    )


def _fine_tune(recipe: Recipe[Any], name: str) -> str:
    """The same networks again: with the options that make them."""
    options = network_options(recipe, method_class(recipe.method).recipe())
    return " ".join([f"pixturn train {recipe.method} --data DIR --name NEW_NAME --start-from {name}", *options])
