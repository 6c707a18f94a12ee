"""`pixturn run NAME PICTURE_OR_FOLDER -o OUT`: translate with a trained run or an .onnx file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.running import Handling, Job
from pipelines.running.naming import refuse_picture_as_name
from pipelines.tasks import command_for
from translate.card import Card
from translate.errors import ConfigurationError


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
    out: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="PATH")]
    """The picture to write (its ending says the format), or the folder to write into (a new one for a
    picture: end it in /)."""
    direction: Annotated[str | None, tyro.conf.arg(metavar="DIRECTION", help_behavior_hint="(default: AtoB)")] = None
    """Which generator of a run: AtoB, or BtoA where the method has it (cyclegan)."""
    handling: Annotated[Handling, tyro.conf.arg(name="")] = field(default_factory=Handling)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(RunOptions, prog="pixturn run", args=list(arguments))
    refuse_picture_as_name("pixturn run", [options.name, *map(str, options.pictures)], example="lineart")
    job = Job(
        sources=options.pictures, out=options.out, word="translated", doing="Translating", handling=options.handling
    )
    are_folders = all(path.is_dir() for path in options.pictures)
    translate = options.handling.open(options.name, shows_tiles=not are_folders, direction=options.direction)
    _require_as_many(options, translate.card)
    return job.carry_out(translate)


def _require_as_many(options: RunOptions, card: Card) -> None:
    count, wanted = len(options.pictures), len(card.inputs)
    if wanted == 1 < count:
        raise ConfigurationError(
            f"One picture or one folder at a time, not {count}: pixturn run {options.name} FOLDER -o OUT"
        )
    if count != wanted:
        raise ConfigurationError(
            f"{options.name} takes {wanted} at once ({', '.join(port.name for port in card.inputs)}), not {count}: "
            f"{command_for(options.name, card)}"
        )
    if len({path.is_dir() for path in options.pictures}) > 1:
        raise ConfigurationError("Give pictures alone, or folders alone")
