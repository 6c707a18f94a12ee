"""The networks of the inference benchmark, torch as an engine, and the file that the other engines run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from onnx import ModelProto
from torch import nn

from benchmarks.graph_engines import CARD, Call, int8_beside
from translate.card import Card, Picture, SizeRule
from translate.export.graph import set_card, to_onnx
from translate.export.pixels import bake
from translate.export.precision import quantise
from translate.method import Deploy
from translate.networks.compact import Compact
from translate.networks.initialise import initialise
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet
from translate.runtime.integrity import sidecar, sidecar_line

TorchEngine = Callable[[nn.Module, np.ndarray, torch.device], Call]

NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "U-Net-256": partial(UNet, norm="instance-affine"),
    "ResNet-9": partial(ResNet, norm="instance"),
    "Compact x2": partial(Compact, scale=2),
}
"""Full width; U-Net-256 as pix2pix deploys it after training at batch size 1."""
SMALL: Mapping[str, Callable[[], nn.Module]] = {
    "ResNet-small": partial(ResNet, width=16, blocks=3, norm="batch", resampling="nearest"),
}
"""As cyclegan-small trains it: what a folder gains shows where the network does not take all the time."""
_CALIBRATION: Final = 4
_CALIBRATION_PX: Final = 64
"""Of a side, where the network takes pictures as small."""


def network_named(name: str) -> nn.Module:
    """With random weights that are the same each time."""
    torch.manual_seed(0)
    network = {**NETWORKS, **SMALL}[name]()
    initialise(network)
    return network.eval()


def _eager(network: nn.Module, picture: np.ndarray, device: torch.device) -> Call:
    network, tensor = network.to(device), torch.from_numpy(picture).to(device)
    return _inference(lambda: network(tensor).cpu())


def _compiled_bf16(network: nn.Module, picture: np.ndarray, device: torch.device) -> Call:
    network = torch.compile(network.to(device, torch.bfloat16).to(memory_format=torch.channels_last))
    tensor = torch.from_numpy(picture).to(device, torch.bfloat16).to(memory_format=torch.channels_last)
    return _inference(lambda: network(tensor).float().cpu())


def _inference(call: Call) -> Call:
    def run() -> object:
        with torch.inference_mode():
            return call()

    return run


EAGER = "torch eager fp32"
"""What the others are compared with."""
TORCH_ENGINES: Mapping[str, TorchEngine] = {EAGER: _eager, "torch compiled bf16": _compiled_bf16}


def write_graph(network: nn.Module, path: Path) -> None:
    """The network as `pixturn export` writes its graph, without the proof; beside it what int8 engines run."""
    model, card = _exported(network)
    path.write_bytes(model.SerializeToString())
    random = np.random.default_rng(0)  # which pictures changes no time
    side_px = max(_CALIBRATION_PX, card.input_pictures[0].size.at_least_px)
    shape = (1, 3, side_px, side_px)
    pictures = [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(_CALIBRATION)]
    int8_beside(path).write_bytes(quantise(model, [{"a": picture} for picture in pictures]).SerializeToString())


def write_model(network: nn.Module, folder: Path, *, pixels: bool = False) -> Path:
    """The network as a file that `pixturn run` takes, with its card and its hash; `pixels` go in and come out."""
    model, card = _exported(network)
    if pixels:
        model, card = bake(model, card)
    set_card(model, card)
    path, data = folder / "model.onnx", model.SerializeToString()
    path.write_bytes(data)
    sidecar(path).write_bytes(sidecar_line(path.name, data))
    return path


def _exported(network: nn.Module) -> tuple[ModelProto, Card]:
    rule: SizeRule = getattr(network, "size_rule", SizeRule())
    inputs, outputs = (Picture(name="a", size=rule),), (Picture(name="b", size=rule),)
    card = replace(CARD, inputs=inputs, outputs=outputs, scale=getattr(network, "scale", 1))
    deploy = Deploy(
        module=network, networks=(network,), task="translate", inputs=inputs, outputs=outputs, tiling="forbidden"
    )
    return to_onnx(deploy, card), card
