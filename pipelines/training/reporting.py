"""The report of a run: its best weights on the held-out pictures, beside trivial baselines, and how it got there."""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
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
from pipelines.report.model import Severity
from pipelines.runs import PROGRESS, RECIPE, RUNS, RunFolder
from pipelines.scoring.heldout import HeldOut, read_held_out
from pipelines.scoring.judge import Scores
from pipelines.scoring.measures import MEASURES
from pipelines.trained import Trained
from pipelines.training.contest import OURS, Contest, hold_contests
from pipelines.training.data import Data, open_data
from pipelines.training.data_summary import summarise
from pipelines.training.diagnose import examine
from pipelines.training.observers import read_metrics
from pipelines.training.options import network_options
from pipelines.training.validation import as_rgb
from translate.data.tensors import to_uint8
from translate.devices import describe_device
from translate.recipe import Recipe
from translate.storage.shelf import Shelf

_MARKS: Mapping[Severity, str] = {
    "good": "[green]✓[/green]",
    "info": "·",
    "warning": "[yellow]![/yellow]",
    "error": "[red]✗[/red]",
}
_MOST_FITTED = 1000
_MOST_EXAMPLES = 200


def write_run_report(folder: RunFolder, *, device: torch.device) -> Report:
    """Score a run's best weights on its held-out pictures, write `report.html`, and give what it says."""
    trained = Trained.read(folder)
    data = open_data(trained.recipe)
    domains = trained.recipe.spec().domains
    held_out = read_held_out(data.scored, domains, trained.recipe.augmentation)
    training = read_held_out(data.training, domains, trained.recipe.augmentation, most=_MOST_FITTED)
    contests = hold_contests(trained, held_out, training, device)
    report = _report(folder, trained, data, held_out, training, contests, device)
    write_report(folder.report, report)
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
    progress = Shelf(folder.snapshots).newest().document(PROGRESS)
    images, total = progress["images"], trained.recipe.length.images or 0
    lines = read_metrics(folder.metrics)
    return Report(
        title=f"{folder.name}: {trained.recipe.method}",
        method=trained.recipe.method,
        name=folder.name,
        status=f"{'finished' if images >= total else 'so far'}: {images:,} of {total:,} images",
        started=datetime.fromtimestamp(lines[0]["time"] if lines else datetime.now(UTC).timestamp(), UTC),
        minutes=_minutes(lines),
        verdicts=tuple(verdict for contest in contests for verdict in _verdicts(contest)),
        scores=_table(contests),
        examples=tuple(_examples(contests[0], held_out, device)),
        examples_note=f"{'Test' if data.scored is data.test else 'Validation'} pictures, never trained on; "
        f"the best weights ({trained.cards[contests[0].deploy].images_seen:,} images).",
        charts=_charts(lines),
        health=tuple(examine(trained, held_out, training, contests, _curves(lines), device)),
        data=summarise(data, trained.recipe),
        recipe=trained.snapshot.document(RECIPE),
        environment=_environment(trained, device),
        next_steps=_next_steps(folder, trained),
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


@torch.inference_mode()
def _examples(contest: Contest, held_out: HeldOut, device: torch.device) -> Iterable[Example]:
    port = held_out.ports[contest.target][0]
    for index in range(min(_MOST_EXAMPLES, held_out.size(contest.source))):
        made = contest.translate(held_out.tensor(contest.source, slice(index, index + 1), device))
        yield Example(
            key=held_out.keys[contest.source][index],
            input=as_rgb(held_out.pixels(contest.source, index)),
            output=as_rgb(to_uint8(made[:, : port.channels], port)[0]),
            truth=as_rgb(held_out.pixels(contest.target, index)) if held_out.paired else None,
            scores={MEASURES[name].label: float(values[index]) for name, values in contest.ours.each.items()},
        )


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


def _minutes(lines: list[dict[str, float]]) -> float:
    return (lines[-1]["time"] - lines[0]["time"]) / 60 if lines else 0.0


def _environment(trained: Trained, device: torch.device) -> dict[str, str]:
    versions: Mapping[str, str] = next(iter(trained.cards.values())).versions
    return {
        "device of this report": describe_device(device),
        "precision": trained.recipe.precision,
        "threads": str(trained.recipe.threads),
        "python": sys.version.split()[0],
        **versions,
    }


def _next_steps(folder: RunFolder, trained: Trained) -> tuple[Command, ...]:
    by_name = (RUNS / folder.name).resolve() == folder.path.resolve()
    name = quote(folder.name if by_name else str(folder.path))
    return (
        Command(
            purpose="Translate a picture of your own, at any size", line=f"pixturn run {name} picture.png -o out.png"
        ),
        Command(purpose="Translate a folder", line=f"pixturn run {name} pictures/ -o translated/"),
        Command(
            purpose="Look at the curves while a run goes on", line=f"tensorboard --logdir {quote(str(folder.path))}"
        ),
        Command(purpose="Fine-tune from these weights", line=_fine_tune(trained.recipe, name)),
    )


def _fine_tune(recipe: Recipe[Any], name: str) -> str:
    """The same networks again: with the options that make them."""
    options = network_options(recipe, method_class(recipe.method).recipe())
    return " ".join([f"pixturn train {recipe.method} --data DIR --name NEW_NAME --start-from {name}", *options])
