"""`pixturn inpaint [NAME] PICTURE_OR_FOLDER --mask MASK`: fill holes, or go on beyond the edges."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import tyro

from pipelines.inpainting import Margins
from pipelines.running import Handling, Job
from pipelines.running.naming import refuse_picture_as_name
from pipelines.runs import RUNS, RunFolder, bundle_of, is_picture_name
from pipelines.tasks import Inpaint, command_for
from translate.errors import ConfigurationError, ModelError

_USUAL_MODEL: Final = "inpaint"
_WITH_NAME: Final = 2
_EDGES: Final = 4


@dataclass(frozen=True, kw_only=True)
class InpaintOptions:
    """Fills what a mask marks, what is transparent, or what lies beyond the edges; all other pixels stay as they are.

    Without -o, a.jpg becomes a.inpaint.png (a.outpaint.png) beside it, and a folder FOLDER.inpaint; a picture that is
    there is not replaced unless -o names it. Colour profile and orientation are kept, and folders are treated, as
    `pixturn run` does; see `pixturn run --help`.
    """

    name_and_picture: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(name="picture", metavar="[NAME] PICTURE_OR_FOLDER", help_behavior_hint="(required)"),
    ]
    """A picture, or a folder of them. Before it, if not the model that ships is to be used: a bundle, the name or
    folder of a trained run, or an .onnx file."""
    mask: Annotated[
        Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(default: what is not opaque in the picture)")
    ] = None
    """White (128 or more as grey) where to fill, black elsewhere; of the picture's size. For a folder: masks of
    the same names in another folder, or one mask for all."""
    outpaint: Annotated[
        tuple[int, ...],
        tyro.conf.arg(metavar="LEFT RIGHT TOP BOTTOM", help_behavior_hint="(default: the size stays)"),
    ] = ()
    """In place of a mask: extend the picture beyond its edges by so many pixels."""
    out: Annotated[
        str | None, tyro.conf.arg(aliases=["-o"], metavar="PATH", help_behavior_hint="(default: beside what went in)")
    ] = None
    """The picture to write (its ending says the format), or the folder to write into (a new one for a
    picture: end it in /)."""
    handling: Annotated[Handling, tyro.conf.arg(name="")] = field(default_factory=Handling)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(InpaintOptions, prog="pixturn inpaint", args=list(arguments))
    name, picture = _name_and_picture(options)
    margins = _margins(options)
    sources = (picture,) if options.mask is None else (picture, options.mask)
    word = "inpaint" if margins is None else "outpaint"
    job = Job(sources=sources, out=options.out, word=word, doing="Filling", handling=options.handling)
    _require_apart(picture, options.mask)
    _require_usual(options)
    inpaint = options.handling.open(name, shows_tiles=not job.is_folder)
    if not isinstance(inpaint, Inpaint):
        raise ConfigurationError(
            f"{name} fills no holes, it is for the task {inpaint.card.task!r}: use {command_for(name, inpaint.card)}"
        )
    if margins is not None:
        return job.carry_out(inpaint.outpainting(margins))
    return job.carry_out(inpaint if options.mask is not None else inpaint.transparent())


def _name_and_picture(options: InpaintOptions) -> tuple[str, Path]:
    given = options.name_and_picture
    if len(given) == _WITH_NAME and all(map(is_picture_name, given)) and options.mask is None:
        picture, mask = map(shlex.quote, given)
        raise ConfigurationError(f"A mask is given as --mask {mask}: pixturn inpaint {picture} --mask {mask}")
    if not 1 <= len(given) <= _WITH_NAME:
        raise ConfigurationError(
            f"Give one picture or one folder, and before it the name of a model at most, not {len(given)}: "
            "pixturn inpaint [NAME] PICTURE_OR_FOLDER --mask MASK"
        )
    if len(given) == _WITH_NAME:
        refuse_picture_as_name("pixturn inpaint", given, example=_USUAL_MODEL)
    return given[0] if len(given) == _WITH_NAME else _USUAL_MODEL, Path(given[-1])


def _require_usual(options: InpaintOptions) -> None:
    """Tell apart that no model was named from one that is not there: --runs may name a folder without the usual one."""
    runs = options.handling.runs
    is_there = bundle_of(_USUAL_MODEL, runs) is not None or any(
        RunFolder(path=path).exists for path in (Path(_USUAL_MODEL), runs / _USUAL_MODEL)
    )
    if len(options.name_and_picture) == _WITH_NAME or is_there:
        return
    where, otherwise = (
        ("among the bundles that ship with this installation", "")
        if runs == RUNS
        else (f"in --runs {runs}", ", or leave --runs out for the one that ships")
    )
    raise ModelError(
        f"No model was named, and there is no {_USUAL_MODEL!r} {where}: name a run, a bundle or an .onnx file before "
        f"the picture{otherwise}"
    )


def _margins(options: InpaintOptions) -> Margins | None:
    if not options.outpaint:
        return None
    if len(options.outpaint) != _EDGES:
        raise ConfigurationError("--outpaint takes four numbers, in pixels: LEFT RIGHT TOP BOTTOM, as 64 64 0 0")
    if options.mask is not None:
        raise ConfigurationError("--outpaint fills what lies beyond the edges, --mask what it marks: give one of them")
    left, right, top, bottom = options.outpaint
    return Margins(left=left, right=right, top=top, bottom=bottom)


def _require_apart(picture: Path, mask: Path | None) -> None:
    """Masks among the pictures would be taken for pictures."""
    if mask is None:
        return
    if mask.is_dir() and not picture.is_dir():
        raise ConfigurationError(
            f"--mask {mask} is a folder, and {picture} one picture: give the mask that belongs to it"
        )
    if picture.is_dir() and mask.resolve().is_relative_to(picture.resolve()):
        raise ConfigurationError(f"--mask {mask} lies in {picture}, among what is to be filled: move it elsewhere")
