"""`pixturn example openmoji DIR`: prepare a real data set from a package."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.progress import Progress

from pipelines.examples import basemap, openmoji
from pipelines.examples.folder import Summary


@dataclass(frozen=True, kw_only=True)
class ExampleOptions:
    """openmoji: 1948 drawings, line art and colour, paired. basemap: satellite and map tiles, unpaired."""

    example: Annotated[Literal["openmoji", "basemap"], tyro.conf.Positional]
    """Which data set."""
    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """Where to write it."""
    size_px: int = 64
    """Width and height of every picture in pixels."""
    paired: bool = False
    """basemap: give both halves of a tile the same name, for paired training."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ExampleOptions, prog="pixturn example", args=list(arguments))
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"{options.example}", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        summary = _prepare(options, tell)
    counts = ", ".join(f"{count} {name}" for name, count in summary.counts.items())
    console = Console(file=sys.stdout)
    console.print(f"{options.folder}: {counts}. Licence: {summary.licence}", highlight=False)
    return 0


def _prepare(options: ExampleOptions, tell: Callable[[int, int], None]) -> Summary:
    if options.example == "openmoji":
        return openmoji.prepare(options.folder, size_px=options.size_px, on_progress=tell)
    return basemap.prepare(options.folder, size_px=options.size_px, paired=options.paired, on_progress=tell)
