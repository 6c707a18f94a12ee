"""Where the bundles lie that ship with Pixturn: in a clone, or where the wheel was installed."""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

_FOLDER: Final = "checkpoints"
_IN_WHEEL: Final = f"share/pixturn/{_FOLDER}/"


@cache
def shipped() -> Path | None:
    """The folder of the shipped bundles; None where they were left out of an installation."""
    clone = Path(__file__).parents[1] / _FOLDER
    return clone if clone.is_dir() else _installed()


def _installed() -> Path | None:
    """As the installation's own record says: every kind of environment has another place for data."""
    try:
        files = distribution("pixturn").files or []
    except PackageNotFoundError:
        return None
    inside = (Path(str(file.locate())).resolve() for file in files if _IN_WHEEL in file.as_posix())
    return next((folder for path in inside for folder in path.parents if folder.name == _FOLDER), None)
