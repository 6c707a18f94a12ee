"""What a run tells while it trains: a progress bar, a JSON line, TensorBoard. Each is an observer."""

import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from translate.data.writing import write_picture
from translate.storage.atomic import room_for, write_atomically

_PLAIN_LINE_EVERY_SEC = 20.0
_SHOWN_TERMS = 4


class Observer(Protocol):
    """Is told of figures as they come; `images` is how far the run is."""

    def figures(self, images: int, figures: Mapping[str, float]) -> None:
        """Named figures: loss terms as `turn/term`, scores of held-out pictures as `validation/measure`."""
        ...

    def sheet(self, images: int, pixels: np.ndarray) -> None:
        """A sheet of validation pictures, H x W x 3 uint8."""
        ...

    def close(self) -> None:
        """The run ends."""
        ...


@contextmanager
def closing(observer: Observer) -> Generator[Observer]:
    """Close the observer at the end; where the run already fails, what its closing says is left out."""
    try:
        yield observer
    except BaseException:
        with suppress(Exception):
            observer.close()
        raise
    observer.close()


class MetricsFile:
    """One JSON object a line. What lies beyond the checkpoint that a run resumes from is cut off."""

    def __init__(self, path: Path, *, resumed_at: int) -> None:
        kept = [line for line in _lines(path) if json.loads(line)["images"] <= resumed_at] if resumed_at else []
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, "".join(f"{line}\n" for line in kept))
        self._path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def figures(self, images: int, figures: Mapping[str, float]) -> None:
        """Append a line. Raises StorageError where there is no room for it."""
        line = json.dumps({"images": images, "time": round(time.time(), 1), **figures}) + "\n"
        with room_for(self._path, len(line)):
            self._file.write(line)

    def sheet(self, images: int, pixels: np.ndarray) -> None:
        """Pictures are no figures."""

    def close(self) -> None:
        """Close the file. Raises StorageError where what was buffered finds no room."""
        with room_for(self._path, 0):
            self._file.close()


class TensorBoard:
    """Scalars and sheets for TensorBoard."""

    def __init__(self, folder: Path, *, resumed_at: int) -> None:
        self._folder = folder
        # TensorBoard drops what an earlier life wrote at this step and later; the checkpoint's own point stays.
        self._writer = SummaryWriter(str(folder), purge_step=resumed_at + 1)

    def figures(self, images: int, figures: Mapping[str, float]) -> None:
        """Write scalars. Raises StorageError where earlier ones found no room: a thread writes them later."""
        with room_for(self._folder, 0):
            for name, value in figures.items():
                self._writer.add_scalar(name, value, images)

    def sheet(self, images: int, pixels: np.ndarray) -> None:
        """Write a picture."""
        with room_for(self._folder, pixels.nbytes):
            self._writer.add_image("validation/sheet", pixels, images, dataformats="HWC")

    def close(self) -> None:
        """Write everything out. Raises StorageError where it finds no room."""
        with room_for(self._folder, 0):
            self._writer.close()


class Sheets:
    """Validation pictures as PNG files, one a validation, to be leafed through."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def figures(self, images: int, figures: Mapping[str, float]) -> None:
        """Sheets hold pictures only."""

    def sheet(self, images: int, pixels: np.ndarray) -> None:
        """Write a picture."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_picture(pixels, self._folder / f"images-{images:012d}.png")

    def close(self) -> None:
        """Nothing is open."""


class ProgressBar:
    """A bar with losses and time left on a terminal; elsewhere a line every now and then."""

    def __init__(self, console: Console, *, total: int, resumed_at: int) -> None:
        self._console = console
        self._total = total
        self._resumed_at = resumed_at
        self._started = self._printed = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("[dim]{task.fields[losses]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("images", total=total, completed=resumed_at, losses="")
        self._bar.start()

    def figures(self, images: int, figures: Mapping[str, float]) -> None:
        """Move the bar; scores of held-out pictures get a line of their own."""
        scores = {name: value for name, value in figures.items() if name.startswith("validation/")}
        if scores:
            self._console.print(f"{images:>9,} images  {_told(scores)}", highlight=False)
            return
        losses = _told(dict(list(figures.items())[:_SHOWN_TERMS]))
        self._bar.update(self._task, completed=images, losses=losses)
        if not self._console.is_terminal and time.monotonic() - self._printed > _PLAIN_LINE_EVERY_SEC:
            self._printed = time.monotonic()
            self._console.print(f"{images:>9,} of {self._total:,} images, {self._left(images)} left  {losses}")

    def _left(self, images: int) -> str:
        rate = (images - self._resumed_at) / (time.monotonic() - self._started)
        minutes, seconds = divmod(round((self._total - images) / max(rate, 1e-9)), 60)
        return f"{minutes}:{seconds:02d}"

    def sheet(self, images: int, pixels: np.ndarray) -> None:
        """Terminals show no pictures."""

    def close(self) -> None:
        """Stop drawing."""
        self._bar.stop()


def _told(figures: Mapping[str, float]) -> str:
    return "  ".join(f"{name.removeprefix('validation/')} {value:.4g}" for name, value in figures.items())


def _lines(path: Path) -> list[str]:
    """The file's lines; a last one that was cut off by a kill is left out."""
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if _is_json(line)]


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All lines of a metrics file."""
    return [json.loads(line) for line in _lines(path)]
