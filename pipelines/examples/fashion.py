"""Fashion-MNIST: 60,000 pictures of clothes to train on and 10,000 to test on, from the four files that it consists of.

Debian and Ubuntu have them as the package `dataset-fashion-mnist`; everybody else finds them at
https://github.com/zalandoresearch/fashion-mnist.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from pipelines.examples.arrays import Labelled, counts_of, write_arrays
from pipelines.examples.digits import require_size, sized
from pipelines.examples.folder import OnProgress, Request, Summary, find_prepared
from translate.data.idx import read_idx
from translate.errors import ConfigurationError

SOURCE: Final = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package has the files."""
NAMES: Final = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
_PREFIXES: Final = {"train": "train", "test": "t10k"}
_ATTRIBUTION: Final = (
    "Fashion-MNIST by Zalando Research (https://github.com/zalandoresearch/fashion-mnist): H. Xiao, K. Rasul, "
    "R. Vollgraf, 2017. MIT licence."
)
_LICENCE: Final = """The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
_README: Final = """# Fashion-MNIST

{attribution}

{train} pictures to train on, {test} to test on, {size_px} x {size_px} px, grey on black. In each .npz: `x`, uint8
N x {size_px} x {size_px}; `y`, the class; `classes`, their names. There is no validation part: it is held out of the
training pictures.

Changes: {changes}.
"""


def prepare(
    folder: Path, *, size_px: int = 28, source: Path = SOURCE, on_progress: OnProgress | None = None
) -> Summary:
    """Prepares `train.npz` and `test.npz`: all 60,000 and 10,000 pictures. Five seconds, and 31 MB.

    A folder that already holds them is left as it is.

    Raises:
        ConfigurationError: `source` lacks the files, or the folder holds something else.
        DatasetError: A file is damaged.
        StorageError: The disk is full.
    """
    require_size(size_px)
    request = Request(name="fashion", package=f"Fashion-MNIST {_fingerprint(source)}", size_px=size_px)
    prepared = find_prepared(folder, request)
    if prepared is not None:
        return prepared
    parts = {name: sized(_read(source, prefix), size_px) for name, prefix in _PREFIXES.items()}
    summary = Summary(
        request=request,
        licence="MIT",
        attribution=_ATTRIBUTION,
        counts=counts_of(parts),
        class_names=NAMES,
    )
    changes = "none" if size_px == 28 else f"brought from 28 to {size_px} px"
    readme = _README.format(attribution=_ATTRIBUTION, size_px=size_px, changes=changes, **summary.counts)
    return write_arrays(folder, summary, parts, readme=readme, licence_text=_LICENCE, on_progress=on_progress)


def _read(source: Path, prefix: str) -> Labelled:
    pictures = read_idx(_file(source, f"{prefix}-images-idx3-ubyte"), axes=3)
    labels = read_idx(_file(source, f"{prefix}-labels-idx1-ubyte"), axes=1)
    if len(pictures) != len(labels) or labels.max() >= len(NAMES):
        raise ConfigurationError(f"{source}: the files of {prefix} are not those of Fashion-MNIST: {_HOW}")
    return Labelled(values=pictures, labels=labels.astype(np.int64))


_HOW: Final = (
    "run `apt install dataset-fashion-mnist`, or download the four files of "
    "https://github.com/zalandoresearch/fashion-mnist and give their folder with --source"
)


def _file(source: Path, name: str) -> Path:
    for path in (source / name, source / f"{name}.gz"):
        if path.is_file():
            return path
    raise ConfigurationError(f"{source / name}.gz is not there: {_HOW}")


def _fingerprint(source: Path) -> str:
    """The first digits of a hash of the training pictures' file: which release it is."""
    return hashlib.sha256(_file(source, "train-images-idx3-ubyte").read_bytes()).hexdigest()[:12]
