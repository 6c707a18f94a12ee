"""Real pictures for a proof: those that the run held out, or a folder that the user names."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipelines.exporting.made import made_samples
from pipelines.trained import Trained
from pipelines.training.translation.data import open_data
from translate.card import LabelMap, PicturePort
from translate.data.domains import MadePairs
from translate.data.headers import EXTENSIONS
from translate.data.holdout import hash_of
from translate.data.items import Item, Source, Split
from translate.data.pictures import read_label_map, read_picture
from translate.errors import ConfigurationError, DatasetError
from translate.runtime.codec import Pixels

MOST = 32
"""Pictures read at most: a quantised file is calibrated on all of them, the proof takes the first few."""

Sample = dict[str, Pixels]
Each = TypeVar("Each")


def held_out_pictures(trained: Trained, ports: Sequence[PicturePort]) -> list[Sample]:
    """Validation pictures of the run's data, by input port: the same ones every time. Test pictures stay unseen.

    Raises ConfigurationError where they are not there any more, or the model's inputs are no domain of the data.
    """
    try:
        split, domains = open_data(trained.recipe)[1].validation, trained.recipe.domains
        if isinstance(domains, MadePairs):
            return made_samples(domains, _chosen(list(split.domains["b"]), lambda item: item.key))
        return [_read(item.sources, ports) for item in _items(split, trained, ports)]
    except DatasetError as problem:
        raise ConfigurationError(
            f"The proof needs real pictures, and those that the run held out cannot be read ({problem}): "
            "give others with --pictures DIR"
        ) from problem


def pictures_in(folder: Path, ports: Sequence[PicturePort]) -> list[Sample]:
    """The pictures of a folder; for several ports, those of equal names in one sub-folder a port, named after it.

    Raises ConfigurationError for a folder without pictures, PictureError for one that cannot be read.
    """
    folders = [folder] if len(ports) == 1 else [folder / port.name for port in ports]
    found = [_by_name(each) for each in folders]
    names = [name for name in found[0] if all(name in others for others in found)]
    if not names:
        where = " and ".join(map(str, folders))
        raise ConfigurationError(f"--pictures {folder}: there are no pictures in {where} ({', '.join(EXTENSIONS)})")
    return [_read([Source(path=others[name]) for others in found], ports) for name in _chosen(names, str)]


def _items(split: Split, trained: Trained, ports: Sequence[PicturePort]) -> list[Item]:
    names = [port.name for port in ports]
    domains = trained.recipe.spec().domains
    for domain, own in domains.items():
        if [port.name for port in own] == names and split.domains.get(domain):
            return _chosen(list(split.domains[domain]), lambda item: item.key)
    raise DatasetError(f"no held-out pictures are there for {', '.join(names)}")


def _chosen(all_of_them: list[Each], key: Callable[[Each], str]) -> list[Each]:
    """Those whose names have the lowest hashes, so without a bias."""
    return sorted(all_of_them, key=lambda each: hash_of(key(each)))[:MOST]


def _by_name(folder: Path) -> dict[str, Path]:
    paths = sorted(folder.rglob("*")) if folder.is_dir() else []
    kept = [path for path in paths if path.suffix.lower() in EXTENSIONS and path.is_file()]
    return {str(path.relative_to(folder).with_suffix("")): path for path in kept}


def _read(sources: Sequence[Source], ports: Sequence[PicturePort]) -> Sample:
    pixels = {port.name: _pixels(source, port) for source, port in zip(sources, ports, strict=True)}
    return {name: np.ascontiguousarray(array) for name, array in pixels.items()}


def _pixels(source: Source, port: PicturePort) -> Pixels:
    if isinstance(port, LabelMap):
        return read_label_map(source, classes=port.classes)
    return read_picture(source, channels=port.channels)
