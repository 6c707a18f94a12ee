"""`pixturn upscale NAME PICTURE_OR_FOLDER`: larger pictures, by a bundle, a trained run or an .onnx file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import tyro

from pipelines.running import Handling, Job
from pipelines.running.naming import name_and_picture
from pipelines.tasks import Upscale, command_for
from translate.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class UpscaleOptions:
    """Pictures of any size, exactly the model's scale times as high and as wide.

    Without -o, a.jpg becomes a.x2.png beside it, and a folder FOLDER.x2; a picture that is there is not replaced unless
    -o names it. Colour profile, orientation and transparency (enlarged too) are kept, and folders are treated, as
    `pixturn run` does; see `pixturn run --help`.
    """

    name_and_picture: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(name="picture", metavar="NAME PICTURE_OR_FOLDER", help_behavior_hint="(required)"),
    ]
    """x2, x4 or another bundle, the name or folder of a trained run, or an .onnx file; then a picture, or a folder of
    them."""
    out: Annotated[
        str | None, tyro.conf.arg(aliases=["-o"], metavar="PATH", help_behavior_hint="(default: beside what went in)")
    ] = None
    """The picture to write (its ending says the format), or the folder to write into (a new one for a
    picture: end it in /)."""
    handling: Annotated[Handling, tyro.conf.arg(name="")] = field(default_factory=Handling)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(UpscaleOptions, prog="pixturn upscale", args=list(arguments))
    name, picture = name_and_picture("pixturn upscale", options.name_and_picture, example="x2")
    upscale = options.handling.open(name, shows_tiles=not picture.is_dir())
    if not isinstance(upscale, Upscale):
        raise ConfigurationError(
            f"{name} does not enlarge pictures, it is for the task {upscale.card.task!r}: "
            f"use {command_for(name, upscale.card)}"
        )
    word = f"x{upscale.card.scale}"
    job = Job(sources=(picture,), out=options.out, word=word, doing="Enlarging", handling=options.handling)
    return job.carry_out(upscale)
