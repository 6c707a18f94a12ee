"""`pixturn run NAME PICTURE_OR_FOLDER -o OUT`: translate with a trained run."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.progress import track

from pipelines.load import Device, load
from pipelines.runs import RUNS
from pipelines.tasks import Translate
from translate.data.headers import EXTENSIONS
from translate.data.writing import write_picture
from translate.errors import ConfigurationError, PartialFailureError, PictureError
from translate.storage.atomic import write_atomically

FAILURES = "failures.jsonl"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Any size in, exactly that size out. A folder keeps its sub-folders and names; what is there already stays."""

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name or folder of a trained run, or an .onnx file."""
    pictures: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="PICTURE_OR_FOLDER", help_behavior_hint="(required)"),
    ]
    """A picture, or a folder; for a model that takes several pictures at once, one of each (or equal folders)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="PATH")]
    """The picture to write (its ending says the format), or the folder to write into (PNG files)."""
    direction: Annotated[str | None, tyro.conf.arg(metavar="DIRECTION", help_behavior_hint="(default: AtoB)")] = None
    """Which generator of a run: AtoB, or BtoA where the method has it (cyclegan)."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""
    device: Device = "auto"
    """Where to compute; auto takes CUDA where there is one."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(RunOptions, prog="pixturn run", args=list(arguments))
    for path in options.pictures:
        if not path.exists():
            raise ConfigurationError(f"{path} does not exist")
    translate = load(options.name, direction=options.direction, device=options.device, runs=options.runs)
    _require_as_many(options, [port.name for port in translate.card.inputs])
    if all(path.is_dir() for path in options.pictures):
        _require_another(options.pictures, options.out)
        return _folder(translate, options.pictures, options.out)
    target = options.out / f"{options.pictures[0].stem}.png" if options.out.is_dir() else options.out
    _require_another(options.pictures, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(translate, options.pictures, target)
    Console(file=sys.stdout).print(f"{target} ({translate.device})", highlight=False, soft_wrap=True)
    return 0


def _require_another(pictures: Sequence[Path], out: Path) -> None:
    if out.exists() and any(out.samefile(path) for path in pictures):
        raise ConfigurationError(f"-o {out}: that is what is to be translated; choose another place")


def _require_as_many(options: RunOptions, ports: list[str]) -> None:
    if len(options.pictures) != len(ports):
        raise ConfigurationError(
            f"{options.name} takes {len(ports)} at once ({', '.join(ports)}); given were {len(options.pictures)}: "
            f"pixturn run {options.name} {' '.join('PICTURE_OR_FOLDER' for _ in ports)} -o OUT"
        )
    if len({path.is_dir() for path in options.pictures}) > 1:
        raise ConfigurationError("Give pictures alone, or folders alone")


def _folder(translate: Translate, folders: Sequence[Path], out: Path) -> int:
    """Translate what is missing; a picture that is refused is listed in failures.jsonl, and the others go on."""
    pictures = [path for path in _pictures(folders[0]) if not path.is_relative_to(out)]
    if not pictures:
        raise ConfigurationError(f"{folders[0]} holds no pictures ({', '.join(EXTENSIONS)})")
    out.mkdir(parents=True, exist_ok=True)
    failures = [
        failure
        for path in track(pictures, description="Translating", console=Console(stderr=True))
        if (failure := _one(translate, path, folders, out)) is not None
    ]
    (out / FAILURES).unlink(missing_ok=True)
    if failures:
        write_atomically(out / FAILURES, "".join(f"{json.dumps(failure)}\n" for failure in failures))
        raise PartialFailureError(f"{len(failures)} of {len(pictures)} pictures failed; see {out / FAILURES}")
    done = f"{len(pictures)} pictures in {out} ({translate.device})"
    Console(file=sys.stdout).print(done, highlight=False, soft_wrap=True)
    return 0


def _one(translate: Translate, path: Path, folders: Sequence[Path], out: Path) -> dict[str, str] | None:
    target = _target(path, folders[0], out)
    if target.exists():
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(translate, [path, *(_partner(path.relative_to(folders[0]), folder) for folder in folders[1:])], target)
    except PictureError as problem:
        return {"path": str(path), "reason": problem.reason, "message": str(problem)}
    return None


def _write(translate: Translate, paths: Sequence[Path], target: Path) -> None:
    """The first output goes to `target`, further ones beside it with their names in theirs."""
    outputs = translate.outputs({port.name: path for port, path in zip(translate.card.inputs, paths, strict=True)})
    first, *others = outputs
    # The first one comes last: where it is there, all are.
    for name in others:
        write_picture(outputs[name], target.with_name(f"{target.stem}.{name}{target.suffix}"))
    write_picture(outputs[first], target)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())


def _partner(place: Path, folder: Path) -> Path:
    """The picture of the same name; its ending may differ."""
    near = (folder / place.parent).glob("*")
    found = [path for path in sorted(near) if path.stem == place.stem and path.suffix.lower() in EXTENSIONS]
    if not found:
        raise PictureError("missing_partner", f"{place} has no partner of that name in {folder}")
    return found[0]


def _target(path: Path, folder: Path, out: Path) -> Path:
    """The same place below `out`; the old ending stays in the name, since a.jpg and a.png are two pictures."""
    return out / path.relative_to(folder).with_name(f"{path.name}.png" if path.suffix.lower() != ".png" else path.name)
