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

from pipelines.methods import method_names
from pipelines.runs import RUNS, bundles, summaries


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """The runs with how far each is and its best score, and the methods. Recipes are told by `pixturn train`."""

    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ListOptions, prog="pixturn list", args=list(arguments))
    console = Console(file=sys.stdout)
    console.print(f"methods: {', '.join(method_names())}", highlight=False)
    table = Table("run", "method", "images", "best")
    for run in summaries(options.runs):
        table.add_row(escape(run.name), escape(run.method), f"{run.images:,} of {run.total_images:,}", escape(run.best))
    for model in bundles(options.runs):
        table.add_row(escape(model.stem), "bundle", "", f"{model.stat().st_size / 1e6:.1f} MB, ready to use")
    console.print(table if table.row_count else f"no runs in {options.runs}", highlight=False)
    return 0
