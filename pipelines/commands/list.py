"""`pixturn list`: runs, bundles and methods."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.fidelity import perceptual_of
from pipelines.methods import method_names
from pipelines.runs import RUNS, bundles, summaries
from pipelines.tasks import command_for
from translate.runtime.peek import peek_card


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """The runs with how far each is and its best score, the bundles with their tasks, and the methods.

    Recipes are told by `pixturn train`.
    """

    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ListOptions, prog="pixturn list", args=list(arguments))
    console = Console(file=sys.stdout)
    tables = [table for table in (_bundles(options.runs), _runs(options.runs)) if table.row_count]
    for table in tables:
        console.print(table, highlight=False)
    if not tables:
        console.print(f"no runs in {options.runs}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"methods to train by: {', '.join(method_names())}", highlight=False)
    return 0


def _runs(runs: Path) -> Table:
    table = Table("trained run", "method", "images", "best")
    for run in summaries(runs):
        table.add_row(escape(run.name), escape(run.method), f"{run.images:,} of {run.total_images:,}", escape(run.best))
    return table


def _bundles(runs: Path) -> Table:
    """Models that are ready to use; what is typed begins with their names."""
    table = Table("model", "does", "type this")
    for model in bundles(runs):
        does, line = _about(model)
        table.add_row(escape(model.stem), escape(does), escape(line))
    return table


def _about(model: Path) -> tuple[str, str]:
    card = peek_card(model)
    size = f"{model.stat().st_size / 1e6:.1f} MB"
    if card is None:
        return f"{size}, damaged: it has no card", ""
    larger = f" x{card.scale}" if card.scale > 1 else ""
    mixed = " --fidelity 0..1" if perceptual_of(model).is_file() else ""
    return f"{card.task}{larger} ({size})", f"{command_for(model.stem, card)}{mixed}"
