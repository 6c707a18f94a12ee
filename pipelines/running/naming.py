"""The slips that a first command line has: a picture in the model's place, or several of them."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pipelines.runs import is_picture_name
from translate.errors import ConfigurationError


def name_and_picture(command: str, given: Sequence[str], *, example: str) -> tuple[str, Path]:
    """The model and the one picture, or folder, that a command was given.

    Args:
        command: as it is typed.
        given: what stood there without an option.
        example: a model for that command.

    Raises:
        ConfigurationError: something else was given; it says what to type.
    """
    if len(given) == 1 and (is_picture_name(given[0]) or Path(given[0]).is_dir()):
        raise ConfigurationError(f"Say which model: {command} {example} {shlex.quote(given[0])}")
    if len(given) < 2:
        raise ConfigurationError(f"Give a model and a picture: {command} {given[0] if given else example} PICTURE")
    refuse_picture_as_name(command, given, example=example)
    if len(given) > 2:
        raise ConfigurationError(f"One picture or one folder at a time: {command} {shlex.quote(given[0])} FOLDER")
    return given[0], Path(given[1])


def refuse_picture_as_name(command: str, given: Sequence[str], *, example: str) -> None:
    """Raise ConfigurationError where a picture stands first, in the place of the model's name."""
    if is_picture_name(given[0]):
        picture, *others = given
        model = next((word for word in others if not is_picture_name(word)), example)
        raise ConfigurationError(
            f"{picture} is a picture; the model comes first: {shlex.join([*command.split(), model, picture])}"
        )
