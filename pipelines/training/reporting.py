"""The report of a run, whatever it learns: where it is written, what is told of it, and what all reports share."""

import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from shlex import quote
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape

from pipelines.evaluating.sets import Progress, silent
from pipelines.report import Chart, Command, Report, group_series, write_report
from pipelines.report.figures import write_figures
from pipelines.report.model import Severity
from pipelines.runs import RECIPE, RUNS, RunFolder
from pipelines.scoring.measures import MEASURES
from pipelines.trained import Trained, stored_recipe
from pipelines.training.kit import kit_of
from pipelines.training.observers import read_metrics
from pipelines.training.options import shortest_way
from translate.devices import describe_device
from translate.recipe import Recipe
from translate.storage.shelf import Shelf

_MARKS: Mapping[Severity, str] = {
    "good": "[green]✓[/green]",
    "info": "·",
    "warning": "[yellow]![/yellow]",
    "error": "[red]✗[/red]",
}
_LONGEST_PAUSE_SEC = 300.0


def write_run_report(folder: RunFolder, *, device: torch.device, progress: Progress = silent) -> Report:
    """Score a run's best weights on what it never saw, write the report and its figures, and give what it says."""
    recipe = stored_recipe(Shelf(folder.snapshots).newest(()))
    report = kit_of(recipe).report(folder, device, progress)
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


def beginning(folder: RunFolder, trained: Trained, device: torch.device) -> Report:
    """What every report says of a run: its name, how far it is, its curves, recipe and environment."""
    images, total = trained.images, trained.recipe.length.images or 0
    lines = read_metrics(folder.metrics)
    return Report(
        title=f"{folder.name}: {trained.recipe.method}",
        method=trained.recipe.method,
        name=folder.name,
        status=f"{'finished' if images >= total else 'so far'}: {images:,} of {total:,} images",
        started=datetime.fromtimestamp(lines[0]["time"] if lines else datetime.now(UTC).timestamp(), UTC),
        minutes=training_minutes([line["time"] for line in lines]),
        charts=_charts(lines),
        recipe=trained.snapshot.document(RECIPE),
        environment=_environment(trained, device),
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


def curves(folder: RunFolder) -> dict[str, list[float]]:
    """Values of every recorded figure, in the order of training, by name."""
    lines = read_metrics(folder.metrics)
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


def run_name(folder: RunFolder) -> str:
    """How a command names the run: by its name where it lies in the usual place, else by its folder; quoted."""
    by_name = (RUNS / folder.name).resolve() == folder.path.resolve()
    return quote(folder.name if by_name else str(folder.path))


def usual_steps(folder: RunFolder, recipe: Recipe[Any]) -> tuple[Command, ...]:
    """Commands to paste that every run has."""
    name = run_name(folder)
    board = f"tensorboard --logdir {quote(str(folder.path))}"
    return (
        Command(purpose="Look at the curves while a run goes on", line=board),
        Command(purpose="One file that runs without torch", line=f"pixturn export {name} -o {quote(folder.name)}.onnx"),
        Command(purpose="Fine-tune from these weights", line=_fine_tune(recipe, name)),
    )


def _fine_tune(recipe: Recipe[Any], name: str) -> str:
    """The same networks again: with the options that make them."""
    base, options = shortest_way(recipe)
    return " ".join([f"pixturn train {base} --data DIR --name NEW_NAME --start-from {name}", *options])
