"""`pixturn run NAME PICTURE_OR_FOLDER -o OUT`: translate with a trained run."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.progress import track

from pipelines.load import Device, load
from pipelines.runs import RUNS
from pipelines.tasks import Translate
from translate.data.headers import EXTENSIONS
from translate.data.writing import write_picture
from translate.errors import ConfigurationError, PartialFailureError, PictureError

FAILURES = "failures.jsonl"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Any size in, exactly that size out. A folder keeps its sub-folders and names; what is there already stays."""

    name: Annotated[str, tyro.conf.Positional]
    """Name or folder of a trained run."""
    picture: Annotated[Path, tyro.conf.Positional]
    """A picture, or a folder of pictures."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The picture to write (its ending says the format), or the folder (PNG files)."""
    direction: str | None = None
    """Which generator: AtoB (the first), or BtoA where the method has it."""
    runs: Path = RUNS
    """Folder of the runs."""
    device: Device = "auto"
    """Where to compute."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(RunOptions, prog="pixturn run", args=list(arguments))
    if not options.picture.exists():
        raise ConfigurationError(f"{options.picture} does not exist")
    translate = load(options.name, direction=options.direction, device=options.device, runs=options.runs)
    if options.picture.is_dir():
        return _folder(translate, options.picture, options.out)
    write_picture(np.asarray(translate(options.picture)), options.out)
    Console(file=sys.stdout).print(f"{options.out} ({translate.device})", highlight=False)
    return 0


def _folder(translate: Translate, folder: Path, out: Path) -> int:
    """Translate what is missing; a picture that is refused is listed in failures.jsonl, and the others go on."""
    pictures = list(_pictures(folder))
    if not pictures:
        raise ConfigurationError(f"{folder} holds no pictures ({', '.join(EXTENSIONS)})")
    out.mkdir(parents=True, exist_ok=True)
    failures = [
        failure
        for path in track(pictures, description="Translating", console=Console(stderr=True))
        if (failure := _one(translate, path, _target(path, folder, out))) is not None
    ]
    (out / FAILURES).write_text("".join(f"{json.dumps(failure)}\n" for failure in failures), encoding="utf-8")
    if failures:
        raise PartialFailureError(f"{len(failures)} of {len(pictures)} pictures failed; see {out / FAILURES}")
    Console(file=sys.stdout).print(f"{len(pictures)} pictures in {out} ({translate.device})", highlight=False)
    return 0


def _one(translate: Translate, path: Path, target: Path) -> dict[str, str] | None:
    if target.exists():
        return None
    try:
        made = np.asarray(translate(path))
    except PictureError as problem:
        return {"path": str(path), "reason": problem.reason, "message": str(problem)}
    target.parent.mkdir(parents=True, exist_ok=True)
    write_picture(made, target)
    return None


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in EXTENSIONS and path.is_file())


def _target(path: Path, folder: Path, out: Path) -> Path:
    """The same place below `out`; the old ending stays in the name, since a.jpg and a.png are two pictures."""
    return out / path.relative_to(folder).with_name(f"{path.name}.png" if path.suffix.lower() != ".png" else path.name)
