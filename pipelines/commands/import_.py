"""`pixturn import latest_net_G.pth -o model.onnx`: other people's weights as one proven file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from pipelines.importing import How, import_weights


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Reads without running a line of what is inside, says what it found, and writes only what is proven to agree."""

    files: Annotated[
        tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FILE", help_behavior_hint="(required)")
    ]
    """A .pth, .pt or .safetensors file; or a CycleGAN's two (the second one is found beside the first)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FILE")]
    """The .onnx file to write; of a CycleGAN's two, FILE.AtoB.onnx and FILE.BtoA.onnx."""
    how: Annotated[How, tyro.conf.arg(name="")] = field(default_factory=How)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ImportOptions, prog="pixturn import", args=list(arguments))
    console = Console(file=sys.stdout)
    for written in import_weights(options.files, options.out, options.how):
        differs = written.card.parity["difference"]
        console.print(f"Found {written.about}", highlight=False, soft_wrap=True)
        for note in written.notes:
            console.print(f"  {note}", highlight=False, soft_wrap=True)
        done = f"{written.path} (differs from torch by at most {differs:.1g} of [-1, 1])"
        console.print(done, highlight=False, soft_wrap=True)
    return 0
