"""Which models the page offers, and those of them that are loaded."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pipelines.fidelity import PERCEPTUAL, perceptual_of
from pipelines.page.stoppable import StoppableRuntime
from pipelines.runs import RUNS, bundles
from translate.card import Card
from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError, ModelError
from translate.runtime.onnx import OnnxDevice
from translate.runtime.peek import peek_card

_KEPT: Final = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A model that visitors can choose. `spoken` is what commands and Python call it."""

    name: str
    path: Path
    card: Card
    spoken: str

    @property
    def perceptual(self) -> Path | None:
        """The file of weights that look sharper and are less exact, where the bundle has one beside the model."""
        path = perceptual_of(self.path)
        return path if path.is_file() else None

    @property
    def examples(self) -> tuple["Example", ...]:
        """Pictures that ship with a bundle: `example*.jpg`, or several of one stem (`example-1.mask.png`)."""
        firsts = sorted(
            path
            for path in self.path.parent.glob("example*")
            if path.suffix.lower() in EXTENSIONS and "." not in path.stem
        )
        return tuple(Example(first=path) for path in firsts)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A picture for a model's first port, and those of the same stem for others."""

    first: Path

    def of(self, port: str) -> Path | None:
        """The picture for another port: `STEM.PORT.png`."""
        path = self.first.with_name(f"{self.first.stem}.{port}.png")
        return path if path.is_file() else None


def offered(given: Sequence[Path] = (), runs: Path = RUNS) -> list[Offer]:
    """Every bundle in `runs`, and the files that were given (or those in folders that were given).

    Names are made different from one another. A bundle that cannot be read is left out, with a warning.

    Raises:
        ConfigurationError: what was given is not there, or holds no .onnx file.
        ModelError: a file that was given is none of Pixturn's, or there is no model at all.
    """
    shipped = [offer for path in bundles(runs) if (offer := _bundle(path, runs)) is not None]
    own = [_offer(path, str(path)) for each in given for path in _files(each)]
    if not shipped and not own:
        raise ModelError(f"There is no model in {runs}: give an .onnx file (pixturn app my.onnx)")
    return _with_names_apart([*shipped, *own])


def without_folders(offers: Sequence[Offer]) -> list[Offer]:
    """The same, called by names alone in what visitors are shown: where files lie is not for other machines."""
    return [replace(offer, spoken=Path(offer.spoken).name) for offer in offers]


class Shelf:
    """The models that were used last, loaded. May be used from several threads."""

    def __init__(self, device: OnnxDevice = "auto", *, kept: int = _KEPT) -> None:
        self._device: OnnxDevice = device
        self._kept = kept
        self._lock = threading.Lock()
        self._loaded: OrderedDict[Path, StoppableRuntime] = OrderedDict()

    def __contains__(self, path: Path) -> bool:
        """Whether it is loaded."""
        return path in self._loaded

    def runtime(self, path: Path) -> StoppableRuntime:
        """The model of a file, which is loaded if it is not yet. Raises as OnnxRuntime does."""
        with self._lock:  # two that want the same model wait for one loading
            if path not in self._loaded:
                self._loaded[path] = StoppableRuntime(path, device=self._device)
            self._loaded.move_to_end(path)
            while len(self._loaded) > self._kept:
                self._loaded.popitem(last=False)
            return self._loaded[path]


def _bundle(path: Path, runs: Path) -> Offer | None:
    try:
        return _offer(path, path.stem if runs == RUNS else str(path))
    except ModelError as problem:
        _log.warning("The page leaves out a model: %s", problem)
        return None


def _offer(path: Path, spoken: str) -> Offer:
    card = peek_card(path)
    if card is None:
        raise ModelError(
            f"{path} has no card of Pixturn's, or is damaged: export a run (pixturn export), or bring it in "
            "(pixturn import)"
        )
    return Offer(name=path.stem, path=path, card=card, spoken=spoken)


def _files(given: Path) -> list[Path]:
    is_model = given.is_file() and given.suffix.lower() == ".onnx"
    found = [given] if is_model else sorted({*given.glob("*.onnx"), *bundles(given)})
    if not found:
        if given.suffix.lower() == ".onnx":
            raise ConfigurationError(f"{given}: there is no such file")
        raise ConfigurationError(
            f"{given} is no .onnx file and no folder with any; of a trained run, make one: "
            f"pixturn export {given.name} -o {given.name}.onnx"
        )
    return [path for path in found if not path.stem.endswith(PERCEPTUAL)]


def _with_names_apart(offers: list[Offer]) -> list[Offer]:
    taken = dict[str, int]()
    made = list[Offer]()
    for offer in offers:
        taken[offer.name] = taken.get(offer.name, 0) + 1
        count = taken[offer.name]
        name = offer.name if count == 1 else f"{offer.name} ({count})"
        made.append(replace(offer, name=name))
    return made
