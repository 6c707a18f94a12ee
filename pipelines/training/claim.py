"""The folder of a run before it begins: its name, and that nothing of another run lies there."""

import shutil
from itertools import count
from pathlib import Path

import torch

from pipelines.runs import RunFolder
from translate.errors import ConfigurationError
from translate.processes import Processes
from translate.storage.atomic import room_for, sweep


def refuse_bad_name(name: str) -> None:
    """Raise ConfigurationError for what is no name of a folder."""
    if Path(name).name != name or name in {"", ".."}:
        raise ConfigurationError(f"--name {name!r}: give the name of a folder, without a path; --runs says where")


def folder_for(method: str, name: str | None, runs: Path, processes: Processes) -> RunFolder:
    """The run's folder; where it has no name, the first free one, which the first process makes."""
    if name is not None:
        return RunFolder(path=runs / name)
    number = torch.tensor([_first_free(method, runs) if processes.is_first else 0])
    processes.copy_from_first([number])
    return RunFolder(path=runs / f"{method}-{int(number.item())}")


def _first_free(method: str, runs: Path) -> int:
    return next(number for number in count(1) if _makes(runs / f"{method}-{number}"))


def _makes(path: Path) -> bool:
    """Whether the folder is new. No run that begins at the same moment takes it then, too."""
    try:
        path.mkdir(parents=True)
    except OSError:  # it is there, or cannot be made: locking it says why
        return not path.exists()
    return True


def make_ready(folder: RunFolder, *, anew: bool) -> None:
    """Remove what interrupted writes left, and before a new run what one left that had learnt nothing yet.

    Only under the folder's lock, since two of one name may start at the same moment. Raises ConfigurationError where
    a run is to begin anew and another one is there.
    """
    if anew and folder.has_started:
        name = folder.name
        raise ConfigurationError(f"{folder.path} has a run already: go on with --resume {name}, or take another --name")
    if anew and (folder.path / f"{folder.name}.onnx").is_file():
        raise ConfigurationError(f"{folder.path} holds a bundle of that name: take another --name, or another --runs")
    sweep(folder.path)
    if anew and folder.exists:
        with room_for(folder.snapshots, 0):
            shutil.rmtree(folder.snapshots)
