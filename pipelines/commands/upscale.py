"""`pixturn upscale NAME PICTURE_OR_FOLDER`: larger pictures, by a bundle, a trained run or an .onnx file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.running import Handling, Job
from pipelines.tasks import Upscale
from translate.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class UpscaleOptions:
    """Pictures of any size, exactly the model's scale times as high and as wide.

    Without -o, a.jpg becomes a.x2.png beside it, and a folder FOLDER.x2; a picture that is there is not replaced unless
    -o names it. Colour profile, orientation and transparency (enlarged too) are kept, and folders are treated, as
    `pixturn run` does; see `pixturn run --help`.
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """x2, x4 or another bundle; the name or folder of a trained run; or an .onnx file."""
    picture: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PICTURE_OR_FOLDER")]
    """A picture, or a folder of them."""
    out: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="PATH", help_behavior_hint="(default: beside what went in)")
    ] = None
    """The picture to write (its ending says the format), or the folder to write into."""
    handling: Annotated[Handling, tyro.conf.arg(name="")] = field(default_factory=Handling)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(UpscaleOptions, prog="pixturn upscale", args=list(arguments))
    upscale = options.handling.open(options.name, shows_tiles=not options.picture.is_dir())
    if not isinstance(upscale, Upscale):
        raise ConfigurationError(
            f"{options.name} does not enlarge pictures, it is for the task {upscale.card.task!r}: use pixturn run"
        )
    word = f"x{upscale.card.scale}"
    return Job(sources=(options.picture,), out=options.out, word=word, handling=options.handling).carry_out(upscale)
