"""`pixturn generate NAME -o OUT`: samples, sheets and walks of a trained generator or an .onnx file."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.generating import Generate
from pipelines.generating.generate import BATCH, Advance
from pipelines.generating.order import Order, SheetKind, output_kind
from pipelines.generating.outputs import OUTPUTS
from pipelines.load import Device, load
from pipelines.running.progress import counting_progress
from pipelines.runs import RUNS
from pipelines.stopping import listening
from pipelines.tasks import command_for
from pipelines.telling import say
from translate.errors import ConfigurationError
from translate.storage.atomic import require_place


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """Sample i follows from the seed and i alone: more samples, other batches or another OUT change none of them.

    OUT says what is made: a folder (numbered .png files, and samples.json), a picture (a sheet), .gif or .mp4 (a walk
    through the latents, in a loop), or .npz (the numbers, also of models that make points).
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name or folder of a trained run or of a bundle, or an .onnx file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="PATH")]
    """A new folder, or a file; its ending says what it is."""
    n: Annotated[
        int | None,
        tyro.conf.arg(
            metavar="N", help_behavior_hint="(default: 64; 8 for a walk or --invert, which tries every class)"
        ),
    ] = None
    """Samples; the stops of a walk; the starts of --invert."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """Of the noise."""
    classes: Annotated[
        tuple[str, ...],
        tyro.conf.arg(name="class", metavar="CLASS", help_behavior_hint="(default: all in turn; a walk: the first)"),
    ] = ()
    """Classes by number or name; several are taken in turn."""
    codes: Annotated[
        tuple[str, ...], tyro.conf.arg(name="code", metavar="NAME=NUMBERS", help_behavior_hint="(default: drawn)")
    ] = ()
    """Fixed numbers for a further input of the model, as code=0.5,-1."""
    spread: Annotated[float, tyro.conf.arg(metavar="FACTOR")] = 1.0
    """Scales normal noise: below 1, less varied and often cleaner pictures."""
    sheet: SheetKind = "grid"
    """What a sheet shows. classes: a row a class, a column one noise; codes: a row a code, from end to end."""
    columns: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: near to square; classes, codes: 8)")
    ] = None
    """Columns of a sheet; with --neighbours, how many are shown (5)."""
    dimension: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: all, a row each)")] = None
    """With --sheet codes: this dimension of the code alone, a row a class."""
    frames: Annotated[int, tyro.conf.arg(metavar="N")] = 12
    """Frames of a walk from one stop to the next, 20 a second."""
    neighbours: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: none)")] = None
    """Training pictures: a sheet of the first 8 samples, each beside the nearest of them; a .json beside it tells
    the distances and files of all, and whether they are suspiciously near."""
    held_out: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the training pictures, one another)")
    ] = None
    """With --neighbours: real pictures that were not trained on, to compare the distances with."""
    invert: Annotated[Path | None, tyro.conf.arg(metavar="PICTURE", help_behavior_hint="(default: none)")] = None
    """Look for the code of this picture (a run, not an .onnx file): both side by side, and the code in an .npz."""
    perceptual: Annotated[float, tyro.conf.arg(metavar="WEIGHT")] = 0.0
    """With --invert: weight of the difference as EfficientNet-Lite0 sees it, beside that of the pixels."""
    device: Device = "auto"
    """Where to compute; tensorrt and openvino are for .onnx files, mps is for runs."""
    batch: Annotated[int, tyro.conf.arg(metavar="N")] = BATCH
    """Samples that go through the model together."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(GenerateOptions, prog="pixturn generate", args=list(arguments))
    order = _order(options)
    if options.invert is not None:
        return _invert(options, options.invert, order)
    make = OUTPUTS[output_kind(order)]
    require_place(order.out)
    generate = _generator(options)
    with _progress("Generating") as progress:
        told = make(generate, order, progress)
    say(f"{told} ({generate.device})")
    return 0


def _order(options: GenerateOptions) -> Order:
    return Order(
        out=options.out,
        n=options.n,
        seed=options.seed,
        label=options.classes or None,
        codes=dict(map(_code, options.codes)),
        spread=options.spread,
        sheet=options.sheet,
        columns=options.columns,
        dimension=options.dimension,
        frames=options.frames,
        neighbours=options.neighbours,
        held_out=options.held_out,
        batch=options.batch,
    )


def _code(words: str) -> tuple[str, list[float]]:
    name, equals, numbers = words.partition("=")
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if not (name and equals and values):
        raise ConfigurationError(f"--code {words}: give a name and numbers, as --code code=0.5,-1")
    return name, values


def _generator(options: GenerateOptions) -> Generate:
    pipeline = load(options.name, device=options.device, runs=options.runs)
    if not isinstance(pipeline, Generate):
        raise ConfigurationError(
            f"{options.name} does not make pictures out of noise, its task is to {pipeline.card.task}: "
            f"{command_for(options.name, pipeline.card)}"
        )
    return pipeline


def _invert(options: GenerateOptions, picture: Path, order: Order) -> int:
    if options.name.endswith(".onnx") or options.device in ("tensorrt", "openvino"):
        raise ConfigurationError(
            "--invert needs the gradients of a trained run: give the run instead of an .onnx file, on cpu, cuda or mps"
        )
    from pipelines.inversion import invert_picture  # torch, which nothing else here needs

    told = invert_picture(
        options.name, picture, order, device=options.device, perceptual=options.perceptual, runs=options.runs
    )
    say(told)
    return 0


@contextmanager
def _progress(words: str) -> Generator[Advance]:
    """A bar on standard error; a signal ends the work at the next step of it, with nothing half done."""
    with listening() as stop, counting_progress(words) as shown:

        def advance(done: int, total: int) -> None:
            if stop:
                raise stop.error("Stopped: nothing was written")
            shown(done, total)

        yield advance
