"""Where a run lies on disk, and what can be told of it without torch."""

import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO

from pipelines.shipped import shipped
from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError, ModelError

RUNS = Path("checkpoints")
_WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors")
_SHIPPED_ELSEWHERE = " (models that ship with Pixturn are found without --runs)"
RECIPE = "recipe"
CARDS = "cards"
PROGRESS = "progress"
STANDING = "standing"
SETTING = "setting"
_NEWEST = "images-*"
_LOCK = ".lock"


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def snapshots(self) -> Path:
        """Checkpoints, one folder each."""
        return self.path / "snapshots"

    @property
    def metrics(self) -> Path:
        """Every figure that was recorded, a JSON line each."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """Sheets of validation pictures, one for each validation."""
        return self.path / "samples"

    @property
    def report(self) -> Path:
        """The report that people open."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """The report's figures, for model cards."""
        return self.path / "report.json"

    @property
    def exists(self) -> bool:
        """Whether the run has a checkpoint."""
        return any(self.snapshots.glob(_NEWEST))

    @property
    def has_started(self) -> bool:
        """Whether the run has a checkpoint with something learnt: one at 0 images is of a run that failed at once."""
        return any(path.name.partition("-")[2].strip("0") for path in self.snapshots.glob(_NEWEST))

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the run for this process.

        Raises ConfigurationError where another one is training it, or where the folder cannot be written.
        """
        with self._lock_file() as file:
            self._lock(file)
            try:
                yield
            finally:
                self._remove_if_bare()

    def _remove_if_bare(self) -> None:
        """What was refused before it began leaves no folder behind, whose name would count as taken."""
        with suppress(OSError):
            if [path.name for path in self.path.iterdir()] == [_LOCK]:
                (self.path / _LOCK).unlink()
                self.path.rmdir()

    def _lock_file(self) -> TextIO:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return (self.path / _LOCK).open("w")
        except OSError as problem:
            raise ConfigurationError(
                f"{self.path} cannot be written ({problem.strerror or problem}): choose another folder for the runs "
                "(--runs) or another --name"
            ) from problem

    def _lock(self, file: TextIO) -> None:
        import fcntl  # Windows has none, and only training locks

        try:
            # Not flock: data workers inherit it, and outlive a killed run by seconds.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise ConfigurationError(
                f"{self.path} is being trained by another process: wait until it ends, or stop it with Ctrl-C or "
                "SIGTERM (it saves) and go on with --resume, or take another --name"
            ) from problem


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One line about a run."""

    name: str
    method: str
    images: int
    total_images: int
    best: str


def bundle_of(name: str | Path, runs: Path = RUNS) -> Path | None:
    """The file of a bundle, `NAME/NAME.onnx` at that path, in `runs`, or among those that ship with Pixturn.

    None where there is none, or where a trained run is of that name.
    """
    for folder in (Path(name), *(home / name for home in _homes(runs))):
        if RunFolder(path=folder).exists:
            return None
        model = folder / f"{folder.name}.onnx"
        if model.is_file():
            return model
    return None


def _homes(runs: Path) -> list[Path]:
    """The folder of the runs; and for the usual one, wherever it is, what ships."""
    home = shipped()
    return [runs, home] if home is not None and runs == RUNS else [runs]


def bundles(runs: Path = RUNS) -> list[Path]:
    """The exported files of all bundles in a folder; and of those that ship, for the usual one."""
    names = {path.name for home in _homes(runs) for path in home.glob("*")}
    return [model for name in sorted(names) if (model := bundle_of(name, runs)) is not None]


def find_run(name: str | Path, runs: Path = RUNS) -> RunFolder:
    """The run of that name in `runs`, or at that path. Raises ModelError with the nearest name."""
    for path in (Path(name), runs / name):
        folder = RunFolder(path=path)
        if folder.exists:
            return folder
    if bundle_of(name, runs) is not None:
        raise ModelError(f"{name} is a bundle, an exported file; this command needs the trained run it was made from")
    raise ModelError(_why_none(name, runs))


def is_picture_name(name: str | Path) -> bool:
    """Whether a name ends as pictures do, and so is none of a model."""
    return Path(name).suffix.lower() in EXTENSIONS


def _why_none(name: str | Path, runs: Path) -> str:
    """What was given in the place of a run, and what to do."""
    path = Path(name)
    if is_picture_name(path):
        return f"{name} is a picture; the model comes first, as in: pixturn upscale x2 {name}"
    if path.suffix.lower() in (".onnx", *_WEIGHTS) and not path.exists():
        return f"{name}: there is no such file"
    if path.suffix.lower() == ".onnx":
        return f"{name} is an .onnx file already, not a trained run; pixturn run, upscale, inpaint and generate take it"
    if path.suffix.lower() in _WEIGHTS:
        return f"{name} holds weights: import it first: pixturn import {name} --from spandrel -o {path.stem}.onnx"
    if path.exists():
        return f"{name} holds no run, and no {path.name}.onnx"
    known = [*(summary.name for summary in summaries(runs)), *(model.stem for model in bundles(runs))]
    near = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"in {runs} there are: {', '.join(known) or 'none'}"
    return f"There is no run or bundle {str(name)!r}; {hint}{_SHIPPED_ELSEWHERE if runs != RUNS else ''}"


def summaries(runs: Path = RUNS) -> list[Summary]:
    """A summary of every run in a folder; a damaged one is left out."""
    folders = sorted(path for path in runs.glob("*") if (path / "snapshots").is_dir())
    return [summary for path in folders if (summary := _summary(path)) is not None]


def _summary(path: Path) -> Summary | None:
    for snapshot in sorted((path / "snapshots").glob(_NEWEST), reverse=True):
        try:
            return _summary_of(path.name, *(_read(snapshot, name) for name in (RECIPE, PROGRESS, STANDING)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # a damaged file, or a foreign one
            continue
    return None


def _summary_of(name: str, recipe: dict[str, Any], progress: dict[str, Any], standing: dict[str, Any]) -> Summary:
    best = f"{standing['metric']} {standing['value']:.4g}" if standing.get("value") is not None else ""
    return Summary(
        name=name,
        method=str(recipe["method"]),
        images=int(progress["images"]),
        total_images=int(recipe["length"]["images"]),
        best=best,
    )


def _read(snapshot: Path, name: str) -> dict[str, Any]:
    return json.loads((snapshot / f"{name}.json").read_text())
