"""A deploy as a graph in the form that was asked for, proven: what exports and imports share."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from onnx import ModelProto
from rich.console import Console

from pipelines.exporting.material import Material
from translate.card import Card
from translate.errors import ConfigurationError
from translate.export.graph import to_onnx
from translate.export.session import ProtoRuntime
from translate.method import Deploy

_PACKAGES: Final = ("pixturn", "torch", "onnx", "onnxscript", "onnxruntime", "onnxruntime-gpu")


def in_precision(deploy: Deploy, card: Card, material: Material, console: Console) -> tuple[ModelProto, Card]:
    """The deploy's graph in the precision that its card says, and the card with what was measured.

    int8 is calibrated on the material; how fast it is on this machine is told.

    Raises:
        ModelError: the bar of the precision is broken, or the deploy cannot be exported.
    """
    with console.status("Exporting ..."):
        exact = to_onnx(deploy, card)
        model = _converted(exact, card, material)
    proven = material.prove(model, card)
    if card.precision == "int8":
        _tell_speed(exact, model, proven, material, console)
    return model, proven


def with_pixels(model: ModelProto, card: Card, material: Material) -> tuple[ModelProto, Card]:
    """A proven graph with scaling, padding and cropping baked in, so that it takes and gives bytes, N x H x W x C.

    Raises:
        ModelError: its bytes are not those of the pipeline.
        ConfigurationError: it takes no pictures of any size.
    """
    if not card.takes_pictures:
        raise ConfigurationError("--pixels is for models that take pictures of any size; leave it out")
    from translate.export.pixels import bake

    baked, pixel_card = bake(model, card)
    return baked, material.prove_pixels(baked, pixel_card, model, card)


def versions() -> dict[str, str]:
    """Of the packages that make a file, as far as they are there."""
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # one of the two ONNX Runtimes
            continue
    return found


def _converted(model: ModelProto, card: Card, material: Material) -> ModelProto:
    if card.precision == "fp32":
        return model
    from translate.export.precision import half, quantise

    return half(model) if card.precision == "fp16" else quantise(model, material.calibration())


def _tell_speed(exact: ModelProto, smaller: ModelProto, card: Card, material: Material, console: Console) -> None:
    """int8 is for CPUs that compute it faster, which not all do."""
    from translate.export.precision import speed_ratio

    runtimes = [ProtoRuntime(model, card) for model in (exact, smaller)]
    ratio = speed_ratio(runtimes[0], runtimes[1], material.calibration()[0])
    advice = "" if ratio > 1 else ": fp32 is the better file for it"
    console.print(f"On this machine int8 is {ratio:.2f} times as fast as fp32{advice}", highlight=False)
