"""`pixturn example openmoji DIR`: prepare a real data set from a package."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.progress import Progress

from pipelines.examples import basemap, digits, emoji, fashion, gaussians, openmoji, photos, stacked
from pipelines.examples.folder import OnProgress, Summary

_Folder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]


@dataclass(frozen=True, kw_only=True)
class Openmoji:
    """1948 drawings, line art and colour, paired."""

    folder: _Folder
    """Where to write it."""
    size_px: int = 64
    """Width and height of every picture in pixels."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return openmoji.prepare(self.folder, size_px=self.size_px, on_progress=tell)


@dataclass(frozen=True, kw_only=True)
class Basemap:
    """Satellite and map tiles, unpaired."""

    folder: _Folder
    """Where to write it."""
    size_px: int = 64
    """Width and height of every picture in pixels."""
    paired: bool = False
    """Give both halves of a tile the same name, for paired training."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return basemap.prepare(self.folder, size_px=self.size_px, paired=self.paired, on_progress=tell)


@dataclass(frozen=True, kw_only=True)
class Digits:
    """5000 handwritten digits of MNIST with their classes: 4000 to train on, 500 for validation, 500 to test on."""

    folder: _Folder
    """Where to write it."""
    size_px: int = 28
    """Width and height of every picture in pixels; 28 as they are, 32 with a border."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return digits.prepare(self.folder, size_px=self.size_px, on_progress=tell)


@dataclass(frozen=True, kw_only=True)
class StackedDigits:
    """Three digits at random as red, green and blue: a thousand modes."""

    folder: _Folder
    """Where to write it."""
    size_px: int = 32
    """Width and height of every picture in pixels."""
    samples: int = 50_000
    """Training pictures."""
    seed: int = 0
    """Decides which digits are stacked."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return stacked.prepare(
            self.folder, size_px=self.size_px, samples=self.samples, seed=self.seed, on_progress=tell
        )


@dataclass(frozen=True, kw_only=True)
class Fashion:
    """Fashion-MNIST: 60,000 pictures of clothes in ten classes, and 10,000 to test on."""

    folder: _Folder
    """Where to write it."""
    size_px: int = 28
    """Width and height of every picture in pixels; 28 as they are, 32 with a border."""
    source: Annotated[Path, tyro.conf.arg(metavar="DIR")] = fashion.SOURCE
    """The folder with its four idx files; the default is where Debian's package dataset-fashion-mnist has them."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return fashion.prepare(self.folder, size_px=self.size_px, source=self.source, on_progress=tell)


@dataclass(frozen=True, kw_only=True)
class Gaussians:
    """Points of 25 Gaussians on a grid, or of 8 on a ring."""

    folder: _Folder
    """Where to write it."""
    modes: Literal[25, 8] = 25
    """How many Gaussians."""
    samples: int = 100_000
    """Training points."""
    seed: int = 0
    """Decides the points."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return gaussians.prepare(self.folder, modes=self.modes, samples=self.samples, seed=self.seed, on_progress=tell)


@dataclass(frozen=True, kw_only=True)
class Emoji:
    """1948 coloured drawings with their groups as classes."""

    folder: _Folder
    """Where to write it."""
    size_px: int = 64
    """Width and height of every picture in pixels."""
    files: bool = False
    """Write a folder of PNG files for each class, rather than one array."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return emoji.prepare(self.folder, size_px=self.size_px, files=self.files, on_progress=tell)


@dataclass(frozen=True, kw_only=True)
class Photos:
    """277 photos in tiles of 256 px, with whole photos to test on."""

    folder: _Folder
    """Where to write it."""
    source: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """A folder with Debian's packages, as .deb files or unpacked; without it, those that are installed are read, and
    the others are downloaded."""
    whole_px: int = 0
    """Write whole photos with a short side of at most so many pixels instead of tiles, as `inpaint-small` wants them;
    0: tiles."""

    def prepare(self, tell: OnProgress) -> Summary:
        """Write it."""
        return photos.prepare(self.folder, source=self.source, whole_px=self.whole_px, on_progress=tell)


_Example = (
    Annotated[Openmoji, tyro.conf.subcommand("openmoji")]
    | Annotated[Basemap, tyro.conf.subcommand("basemap")]
    | Annotated[Digits, tyro.conf.subcommand("digits")]
    | Annotated[StackedDigits, tyro.conf.subcommand("stacked-digits")]
    | Annotated[Fashion, tyro.conf.subcommand("fashion")]
    | Annotated[Gaussians, tyro.conf.subcommand("gaussians")]
    | Annotated[Emoji, tyro.conf.subcommand("emoji")]
    | Annotated[Photos, tyro.conf.subcommand("photos")]
)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    example = tyro.cli(_Example, prog="pixturn example", args=list(arguments))
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Preparing", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        summary = example.prepare(tell)
    counts = ", ".join(f"{count} {name}" for name, count in summary.counts.items())
    console = Console(file=sys.stdout)
    console.print(f"{example.folder}: {counts}. Licence: {summary.licence}", highlight=False, soft_wrap=True)
    return 0
