"""`pixturn import latest_net_G.pth -o model.onnx`: other people's weights as one proven file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.importing import USUAL, ImportSettings, Written, import_weights
from pipelines.telling import say


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Reads without running a line of what is inside, says what it found, and writes only what is proven to agree."""

    files: Annotated[
        tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FILE", help_behavior_hint="(required)")
    ]
    """A .pth, .pt or .safetensors file, or ncnn's .param; or a CycleGAN's two (one is found beside the other)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FILE")]
    """The .onnx file to write; of a CycleGAN's two, FILE.AtoB.onnx and FILE.BtoA.onnx."""
    how: Annotated[ImportSettings, tyro.conf.arg(name="")] = field(default_factory=ImportSettings)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ImportOptions, prog="pixturn import", args=list(arguments))
    for written in import_weights(options.files, options.out, options.how):
        for line in _told(written):
            say(line)
    return 0


def _told(written: Written) -> Iterator[str]:
    card = written.card
    yield f"Found {written.about}"
    yield from (f"  {note}" for note in written.notes)
    yield f"  Large pictures in tiles: {card.tiling}"
    differs = f"differs from torch by at most {card.parity['difference']:.1g} of [-1, 1]"
    usual = f", at its usual size by {card.parity[USUAL]:.1g}" if USUAL in card.parity else ""
    size_mb = written.path.stat().st_size / 1e6
    yield f"{written.path} ({size_mb:.1f} MB, {card.precision}, {differs}{usual})"
    yield f"{written.page} says what is known about it, with pictures"
