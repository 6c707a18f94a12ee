"""`pixturn export NAME [-o model.onnx]`: a trained run as one file that is proven to compute the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.exporting import export
from pipelines.runs import RUNS
from pipelines.telling import say
from translate.card import Precision


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Writes nothing unless ONNX Runtime agrees with torch on real pictures; the model card lies beside the file."""

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name or folder of the run."""
    out: Annotated[
        Path | None,
        tyro.conf.arg(aliases=["-o"], metavar="FILE", help_behavior_hint="(default: export/NAME.onnx in the run)"),
    ] = None
    """The file to write, ending in .onnx, or a folder."""
    direction: Annotated[str | None, tyro.conf.arg(metavar="DIRECTION", help_behavior_hint="(default: AtoB)")] = None
    """Which network of the run: AtoB, or BtoA where the method has it (cyclegan); generate, encode, classify, ..."""
    precision: Precision = "fp32"
    """fp32; fp16 for GPUs; int8 for CPUs where that is faster. Each has a bar of its own."""
    pixels: bool = False
    """Take and give bytes (N x H x W x C) of any size: scaling, padding and cropping go into the file."""
    pictures: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: those that the run held out)")
    ] = None
    """Real input pictures to prove the file on."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ExportOptions, prog="pixturn export", args=list(arguments))
    path = export(
        options.name,
        out=options.out,
        direction=options.direction,
        precision=options.precision,
        pixels=options.pixels,
        pictures=options.pictures,
        runs=options.runs,
    )
    size_mb = path.stat().st_size / 1e6
    done = f"{path} ({size_mb:.1f} MB, {options.precision}, proven against torch)"
    say(done)
    return 0
