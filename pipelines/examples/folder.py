"""A folder that an example is prepared into: whole or not there at all, and saying what it holds and whose it is."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from translate.data.description import NAME, described
from translate.data.npz import count_samples
from translate.errors import ConfigurationError, DatasetError
from translate.storage import whole
from translate.storage.atomic import room_for

OnProgress = Callable[[int, int], None]
"""Called with the samples that are done and with all of them."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for; a folder that was prepared for another request is left alone.

    Args:
        name: The example, such as `openmoji`.
        package: The package with the originals, and its version; empty where there are none.
        size_px: Width and height of every picture; 0 for what is not a picture.
        paired: Whether the training halves show the same things under the same names.
        variant: Whatever else was asked for, in words.
    """

    name: str
    package: str
    size_px: int
    paired: bool = False
    variant: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a prepared folder holds.

    Args:
        request: What was asked for.
        licence: The pictures' licence, by its usual short name.
        attribution: What has to be said wherever the pictures are shown.
        counts: Pictures in each folder (`trainA`, ...), or samples in each `.npz` (`train`, ...).
        families: Groups that were kept together, in `train` and `test`: drawings of one thing, or a block of the globe.
        renderer: The package that rasterised the originals, and its version; empty where they are pictures already.
        class_names: Of the labels, in their order; empty where there are none.
        modes: What is known of the modes of the distribution, for reports to count them; empty where nothing is.
    """

    request: Request
    licence: str
    attribution: str
    counts: Mapping[str, int]
    families: Mapping[str, int] = field(default_factory=dict[str, int])
    renderer: str = ""
    class_names: tuple[str, ...] = ()
    modes: Mapping[str, object] = field(default_factory=dict[str, object])


def package_version(package: str) -> str:
    """The installed version of a package that the examples need.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return distribution(package).version
    except PackageNotFoundError as error:
        raise ConfigurationError(
            f"the package {package} is not installed: run `pip install pixturn[examples]`"
        ) from error


def package_path(package: str, inside: str) -> Path:
    """A file or folder of an installed package, also of one that cannot be imported.

    Raises:
        ConfigurationError: The package is not installed, or has no such file.
    """
    version = package_version(package)
    path = Path(str(distribution(package).locate_file(inside)))
    if not path.exists():
        raise ConfigurationError(f"{package} {version} has no {inside}: run `pip install pixturn[examples]` again")
    return path


def find_prepared(folder: Path, request: Request) -> Summary | None:
    """The summary of a folder that already holds what is asked for; None for an empty or a missing folder.

    Raises:
        ConfigurationError: The folder holds something else, or has lost pictures.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    summary = _read_summary(folder)
    if summary is None:
        raise ConfigurationError(f"{folder} holds other files: name a folder that is empty or does not exist yet")
    if summary.request != request:
        raise ConfigurationError(f"{folder} holds {summary.request}, not {request}: name another folder or delete it")
    if any(_count(folder, part) != count for part, count in summary.counts.items()):
        raise ConfigurationError(f"{folder} has lost or gained pictures since it was prepared: delete it, then prepare")
    return summary


def _count(folder: Path, part: str) -> int:
    """Samples that a part still has, as an array or as pictures; 0 where it cannot be read."""
    packed = folder / f"{part}.npz"
    if not packed.exists():
        return len(list((folder / part).rglob("*.png")))
    try:
        return count_samples(packed)
    except DatasetError:
        return 0


def _read_summary(folder: Path) -> Summary | None:
    try:
        fields: Any = dict(described(folder))
        names = tuple(fields.get("class_names", ()))
        return Summary(**fields | {"request": Request(**fields["request"]), "class_names": names})
    except (TypeError, KeyError):
        return None


@contextmanager
def written_whole(folder: Path, *, needs_mb: int = 30) -> Generator[Path]:
    """Gives a hidden sibling to write into, which becomes `folder` at the end; what was interrupted never does.

    Raises:
        StorageError: The disk does not take it; `needs_mb` is told as what it needs.
    """
    with room_for(folder, needs_mb * 1_000_000):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole.written_whole(folder, unfinished=folder.with_name(f".{folder.name}.partial")) as unfinished:
            yield unfinished


def describe(folder: Path, summary: Summary, *, readme: str, licence_text: str) -> None:
    """Writes `README.md`, `LICENSE.txt` and, as the last file of all, `dataset.json`."""
    (folder / "README.md").write_text(readme, encoding="utf-8")
    (folder / "LICENSE.txt").write_text(licence_text, encoding="utf-8")
    (folder / NAME).write_text(json.dumps(asdict(summary), indent=2) + "\n", encoding="utf-8")
