"""Which file is which generator: a CycleGAN's two lie beside each other, and their names tell the direction."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pipelines.importing.cyclegan_pix2pix import Way
from translate.errors import ConfigurationError

Direction = Literal["auto", "AtoB", "BtoA", "both"]

_NAME = re.compile(r"(?P<before>.*net_G_)(?P<letter>[AB])(?P<after>\.\w+)")
_WAYS: dict[str, Way] = {"A": "AtoB", "B": "BtoA"}


def generators(files: Sequence[Path], direction: Direction) -> dict[Way, Path]:
    """The generators to import, by direction.

    Args:
        files: one file; or two, AtoB's first unless their names (`net_G_A`, `net_G_B`) say otherwise.
        direction: auto: what the names say, and both where the other generator lies beside the one that is given.

    Raises ConfigurationError where the other generator is asked for and not there.
    """
    if len(files) == 2:
        return _pair(files, direction)
    if len(files) != 1:
        raise ConfigurationError(f"Give one file of weights, or a CycleGAN's two; these are {len(files)}")
    found = _beside(files[0])
    if direction == "both" and len(found) < 2:
        raise ConfigurationError(f"--direction both: the other generator is not beside {files[0]}; give both files")
    if direction in ("auto", "both"):
        return found
    named = _way(files[0])
    if named not in (None, direction):
        return _other(files[0], direction, found)
    return {direction: files[0]}


def target(out: Path, way: Way, ways: Mapping[Way, Path]) -> Path:
    """The file to write; of two, each has its direction in its name. Raises ConfigurationError for another ending."""
    if out.suffix != ".onnx":
        raise ConfigurationError(f"-o {out}: name a file that ends in .onnx, such as {out / 'model.onnx'}")
    return out if len(ways) == 1 else out.with_name(f"{out.stem}.{way}.onnx")


def _pair(files: Sequence[Path], direction: Direction) -> dict[Way, Path]:
    if direction in ("AtoB", "BtoA"):
        raise ConfigurationError(f"--direction {direction}: two files are two directions; give one file")
    first, second = files
    if _way(first) == _way(second) and _way(first) is not None:
        raise ConfigurationError(f"{first} and {second} are generators of one direction")
    turned = _way(first) == "BtoA" or _way(second) == "AtoB"
    return {"AtoB": second, "BtoA": first} if turned else {"AtoB": first, "BtoA": second}


def _beside(file: Path) -> dict[Way, Path]:
    match = _NAME.fullmatch(file.name)
    if match is None:
        return {"AtoB": file}
    paths: dict[Way, Path] = {
        way: file.with_name(f"{match['before']}{letter}{match['after']}") for letter, way in _WAYS.items()
    }
    return {way: path for way, path in paths.items() if path == file or path.is_file()}


def _other(file: Path, direction: Way, found: Mapping[Way, Path]) -> dict[Way, Path]:
    if direction not in found:
        raise ConfigurationError(
            f"--direction {direction}: {file} is the other generator, and this one is not beside it"
        )
    return {direction: found[direction]}


def _way(file: Path) -> Way | None:
    match = _NAME.fullmatch(file.name)
    return None if match is None else _WAYS[match["letter"]]
