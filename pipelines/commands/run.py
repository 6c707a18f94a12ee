"""`pixturn run NAME PICTURE_OR_FOLDER -o OUT`: translate with a trained run or an .onnx file."""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pipelines.batch import FolderResult, run_folder
from pipelines.batch.failures import FAILURES
from pipelines.batch.reading import MAX_PIXELS, Reader, limits_for
from pipelines.batch.record import RECORD
from pipelines.batch.results import Format, Results, require_writable
from pipelines.large import Tiles
from pipelines.load import Device, load, require_translator
from pipelines.runs import RUNS
from pipelines.stopping import listening
from pipelines.tasks import Translate
from translate.data.carried import Alpha
from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError, PartialFailureError
from translate.runtime.openvino_model import Compute


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Any size in, exactly that size out.

    Results are upright and have 8 bits a channel (16 are scaled). A picture's colour profile goes along where RGB stays
    RGB and grey stays grey; all else that a file says of itself is dropped.

    A folder keeps its sub-folders and names: a.png stays a.png, a.jpg becomes a.jpg.png, since both may be there. A
    result that is there counts as done, so the same command goes on after a stop; for another model or other options
    choose another OUT. Pictures that are refused are listed in OUT/failures.jsonl (exit code 8), and the others go on.
    OUT/run.json says which model made them, on which device, when, and how many.
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name or folder of a trained run, or an .onnx file."""
    pictures: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="PICTURE_OR_FOLDER", help_behavior_hint="(required)"),
    ]
    """A picture, or a folder; for a model that takes several pictures at once, one of each (or equal folders)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="PATH")]
    """The picture to write (its ending says the format), or the folder to write into."""
    direction: Annotated[str | None, tyro.conf.arg(metavar="DIRECTION", help_behavior_hint="(default: AtoB)")] = None
    """Which generator of a run: AtoB, or BtoA where the method has it (cyclegan)."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""
    device: Device = "auto"
    """Where to compute; auto takes CUDA where there is one. tensorrt and openvino run .onnx files."""
    compute: Compute = "fp32"
    """What layers compute in; bf16 is for openvino, on CPUs that have it: faster, and less exact."""
    file_format: Annotated[
        Format | None, tyro.conf.arg(name="format", help_behavior_hint="(default: the ending of OUT, or png)")
    ] = None
    """Of the results in a folder; all but jpg are lossless."""
    alpha: Alpha = "keep"
    """The model sees transparent pictures on white. keep: their transparency is put back on the result, where that has
    1 or 3 channels, the same size, and a format that knows it (not jpg). white: opaque results."""
    max_pixels: Annotated[int, tyro.conf.arg(metavar="N")] = MAX_PIXELS
    """Pictures with more pixels than this are refused."""
    tile_px: Annotated[
        int | None,
        tyro.conf.arg(
            metavar="PX", help_behavior_hint="(default: 512, where the whole picture would take more than 2 GB)"
        ),
    ] = None
    """Side of the tiles that large pictures are run in, by an .onnx file; the result is that of the whole picture."""
    scratch: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the system's temporary folder)")
    ] = None
    """Where tiles keep what waits on disk (models with instance norm; how much is said)."""
    batch: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 1 on a CPU, up to 8 on a GPU)")
    ] = None
    """Pictures of one size that go through the model together, in a folder."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(RunOptions, prog="pixturn run", args=list(arguments))
    for path in options.pictures:
        if not path.exists():
            raise ConfigurationError(f"{path} does not exist")
    are_folders = all(path.is_dir() for path in options.pictures)
    pipeline = load(
        options.name,
        direction=options.direction,
        device=options.device,
        compute=options.compute,
        runs=options.runs,
        tiles=Tiles(
            tile_px=options.tile_px, scratch=options.scratch, progress=None if are_folders else _TileProgress()
        ),
    )
    translate = require_translator(pipeline)
    _require_as_many(options, [port.name for port in translate.card.inputs])
    if are_folders:
        return _folder(translate, options)
    return _picture(translate, options)


def _require_as_many(options: RunOptions, ports: list[str]) -> None:
    if len(options.pictures) != len(ports):
        raise ConfigurationError(
            f"{options.name} takes {len(ports)} at once ({', '.join(ports)}); given were {len(options.pictures)}: "
            f"pixturn run {options.name} {' '.join('PICTURE_OR_FOLDER' for _ in ports)} -o OUT"
        )
    if len({path.is_dir() for path in options.pictures}) > 1:
        raise ConfigurationError("Give pictures alone, or folders alone")


def _picture(translate: Translate, options: RunOptions) -> int:
    target = _target(options)
    require_writable(translate.card, target.suffix)
    reader = Reader(card=translate.card, limits=limits_for(options.max_pixels), alpha=options.alpha)
    sample = reader.read(options.pictures)
    others = [target.with_name(f"{target.stem}.{port.name}{target.suffix}") for port in translate.card.outputs[1:]]
    Results(card=translate.card).write(translate.outputs(sample.pixels), sample.carried, (target, *others))
    _say(f"{target} ({translate.device})")
    return 0


def _target(options: RunOptions) -> Path:
    """Where one picture goes. Raises ConfigurationError where that is unclear, or the picture itself."""
    target = options.out
    if options.out.is_dir():
        target = options.out / f"{options.pictures[0].stem}.{options.file_format or 'png'}"
    if target.exists() and any(target.samefile(path) for path in options.pictures):
        raise ConfigurationError(f"-o {options.out}: that is what is to be translated; choose another place")
    ending = target.suffix.lower()
    if ending not in EXTENSIONS:
        raise ConfigurationError(f"{target}: cannot write {target.suffix!r}; use one of {', '.join(EXTENSIONS)}")
    if options.file_format is not None and EXTENSIONS[ending] != EXTENSIONS[f".{options.file_format}"]:
        raise ConfigurationError(f"--format {options.file_format}: -o {target} says otherwise; leave one of them out")
    return target


def _folder(translate: Translate, options: RunOptions) -> int:
    with listening() as stop_request, _progress() as progress:
        result = run_folder(
            translate,
            options.pictures,
            options.out,
            batch=options.batch,
            file_format=options.file_format or "png",
            alpha=options.alpha,
            max_pixels=options.max_pixels,
            progress=progress,
            stop=lambda: bool(stop_request),
        )
    if result.left:
        raise stop_request.error(
            f"Stopped: {result.done} pictures were translated, {result.left} are left. "
            f"Give the same command again to go on with them ({translate.device})"
        )
    return _ended(result, options.out)


def _ended(result: FolderResult, out: Path) -> int:
    good = result.done + result.skipped
    before = f", {result.skipped} of them from before" if result.skipped else ""
    if result.failed:
        raise PartialFailureError(
            f"{len(result.failed)} of {good + len(result.failed)} pictures failed; see {out / FAILURES}. "
            f"{good} are in {out}{before} ({result.device}); {RECORD} says more"
        )
    _say(f"{good} pictures in {out}{before} ({result.device}); {out / RECORD} says more")
    return 0


def _columns(words: str) -> tuple[ProgressColumn, ...]:
    return TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True)


class _TileProgress:
    """A bar for the tiles of a picture, from the first tile on."""

    def __init__(self) -> None:
        self._shown: Progress | None = None
        self._bar: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show it. The last tile ends the bar."""
        if self._shown is None or self._bar is None:
            self._shown = Progress(*_columns("Tiles"), console=Console(stderr=True))
            self._shown.start()
            self._bar = self._shown.add_task("Tiles", total=total)
        self._shown.update(self._bar, completed=done, total=total)
        if done == total:
            self._shown.stop()
            self._shown = None


@contextmanager
def _progress() -> Generator[Callable[[int, int], None]]:
    with Progress(*_columns("Translating"), console=Console(stderr=True)) as shown:
        bar = shown.add_task("Translating", total=None)
        yield lambda done, total: shown.update(bar, completed=done, total=total)


def _say(words: str) -> None:
    printable = words.encode(errors="backslashreplace").decode()  # a name may be no text
    Console(file=sys.stdout).print(printable, highlight=False, markup=False, soft_wrap=True)
