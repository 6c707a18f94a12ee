"""The ways to run a model on this machine: its files by precision, and the engines that are there."""

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pipelines.load import Device, load
from pipelines.runs import RUNS, bundle_of, find_run
from pipelines.tasks import GENERATE, Pipeline
from translate.card import Card
from translate.errors import ConfigurationError, ModelError, PixturnError
from translate.runtime.openvino_model import Compute, require_compute
from translate.runtime.peek import peek_card
from translate.runtime.providers import has_driver, providers_for

PICTURE: Final = "PICTURE"
FOLDER: Final = "FOLDER"
"""What stands in a command line for what it is given."""
_COMMANDS: Final = {"upscale": "upscale", "inpaint": "inpaint"}
"""By task; `run` for all others."""
_GPU: Final[Mapping[Literal["cuda", "tensorrt"], str]] = {"cuda": "ONNX Runtime CUDA", "tensorrt": "TensorRT"}


@dataclass(frozen=True, kw_only=True)
class Way:
    """One engine with one file, or with a run's own checkpoint. `name` is what the command line calls the model."""

    name: str
    words: str
    device: Device
    compute: Compute = "fp32"
    direction: str | None = None

    def open(self, runs: Path = RUNS) -> Pipeline:
        """The model, ready. Raises as `pipelines.load`."""
        return load(self.name, device=self.device, compute=self.compute, direction=self.direction, runs=runs)

    def options(self) -> list[str]:
        """Of the command that runs it so."""
        given = ["--device", self.device]
        if self.compute != "fp32":
            given += ["--compute", self.compute]
        return given if self.direction is None else [*given, "--direction", self.direction]

    def command(self, card: Card, *, source: str, batch: int | None = None) -> list[str]:
        """The words of the command line that runs a picture, or a folder in batches.

        Args:
            card: the model's.
            source: PICTURE or FOLDER.
            batch: pictures that go through together, for a folder.
        """
        if card.task == GENERATE:
            return self._generating(source, batch)
        command = _COMMANDS.get(card.task, "run")
        sources = [source] if command != "run" else [source] * len(card.inputs)
        masks = ["--mask", "MASK"] if command == "inpaint" else []
        together = [] if batch is None else ["--batch", str(batch)]
        return ["pixturn", command, self.name, *sources, *masks, "-o", "OUT", *self.options(), *together]

    def _generating(self, source: str, batch: int | None) -> list[str]:
        """One picture, or a folder of them."""
        out = ["-o", "OUT.png", "--n", "1"] if source == PICTURE else ["-o", "OUT"]
        together = [] if batch is None else ["--batch", str(batch)]
        return ["pixturn", "generate", self.name, *out, *self.options(), *together]


@dataclass(frozen=True, kw_only=True)
class Model:
    """What is to be timed: the name that was given, its files (the exact one first), and a run's own checkpoint."""

    name: str
    files: tuple[Path, ...]
    is_run: bool = False
    direction: str | None = None


def model_named(name: str, *, runs: Path = RUNS, direction: str | None = None) -> Model:
    """A file with its siblings, a bundle, or a run with what was exported of it.

    Raises:
        ModelError: it is none of them.
        ConfigurationError: a file or a bundle was to have a direction.
    """
    file = Path(name) if Path(name).suffix.lower() == ".onnx" else bundle_of(name, runs)
    if file is not None:
        if not file.is_file():
            raise ModelError(f"{name} does not exist")
        if direction is not None:
            raise ConfigurationError(f"--direction {direction}: {name} holds one direction; leave the option out")
        return Model(name=name, files=with_siblings(file))
    exported = find_run(name, runs).path / "export" / f"{Path(name).name}.onnx"
    # What was exported is one direction, the first if nothing else was asked for.
    files = with_siblings(exported) if direction is None and exported.is_file() else ()
    return Model(name=name, files=files, is_run=True, direction=direction)


def with_siblings(path: Path) -> tuple[Path, ...]:
    """The file, and those beside it that hold the same model in another precision, or with pixels in and out."""
    card = peek_card(path)
    if card is None:  # loading it says why
        return (path,)
    beside = (each for each in sorted(path.parent.glob("*.onnx")) if each != path)
    return (path, *(each for each in beside if _is_sibling(card, peek_card(each))))


def ways(model: Model) -> tuple[list[Way], list[str]]:
    """Every way that can be tried, ONNX Runtime on the CPU first; and what is missing here, in words."""
    engines, missing = _engines()
    found = [way for path in model.files for way in _ways_of(path, model, engines)]
    if model.is_run:
        found += [
            Way(name=model.name, words=f"torch {device}", device=device, direction=model.direction)
            for device in _torch_devices()
        ]
    return found, missing


@dataclass(frozen=True, kw_only=True)
class _Engine:
    words: str
    device: Device
    compute: Compute = "fp32"


def _ways_of(path: Path, model: Model, engines: list[_Engine]) -> Iterator[Way]:
    """A bundle's own file goes by the bundle's name, as people type it."""
    card = peek_card(path)
    precision = card.precision if card else "fp32"
    form = f"{precision}{', pixels' if card and card.pixels else ''}"
    is_named = not model.is_run and path == model.files[0]
    for engine in engines:
        if _suits(precision, engine) and _is_offered(card, engine):
            words = f"{engine.words} {engine.compute if precision == 'fp32' else precision}"
            words += ", pixels" if form.endswith("pixels") else ""
            name = model.name if is_named else str(path)
            yield Way(name=name, words=words, device=engine.device, compute=engine.compute)


def _suits(precision: str, engine: _Engine) -> bool:
    """fp16 files are for GPUs, int8 ones for CPUs; and no file is rounded twice."""
    is_gpu = engine.device in ("cuda", "tensorrt")
    if precision == "fp16":
        return is_gpu
    return precision == "fp32" or (not is_gpu and engine.compute == "fp32")


def _is_offered(card: Card | None, engine: _Engine) -> bool:
    """Whether a command has the options for it: `pixturn generate` has no --compute."""
    return engine.compute == "fp32" or card is None or card.task != GENERATE


def _engines() -> tuple[list[_Engine], list[str]]:
    engines, missing = list[_Engine](), list[str]()
    if importlib.util.find_spec("onnxruntime") is None:
        missing.append("ONNX Runtime is not installed: pip install 'pixturn[cpu]'")
    else:
        engines.append(_Engine(words="ONNX Runtime", device="cpu"))
        if has_driver():
            for device, words in _GPU.items():
                try:
                    providers_for(device)
                    engines.append(_Engine(words=words, device=device))
                except PixturnError as problem:
                    missing.append(str(problem))
    if importlib.util.find_spec("openvino") is None:
        missing.append("OpenVINO is not installed: pip install 'pixturn[openvino]'")
        return engines, missing
    engines.append(_Engine(words="OpenVINO", device="openvino"))
    try:
        require_compute("bf16")
        engines.append(_Engine(words="OpenVINO", device="openvino", compute="bf16"))
    except PixturnError as problem:
        missing.append(str(problem))
    return engines, missing


def _torch_devices() -> list[Device]:
    return ["cpu", "cuda"] if has_driver() else ["cpu"]


def _is_sibling(card: Card, other: Card | None) -> bool:
    if other is None or (other.precision, other.pixels) == (card.precision, card.pixels):
        return False
    return _identity(other) == _identity(card)


def _identity(card: Card) -> tuple[object, ...]:
    return card.task, card.method, card.name, card.scale, card.recipe_sha256, card.images_seen
