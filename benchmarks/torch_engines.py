"""The networks of the inference benchmark, torch as an engine, and the file that the other engines run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from graph_engines import CARD, Call
from torch import nn

from translate.card import Picture, SizeRule
from translate.export.graph import to_onnx
from translate.method import Deploy
from translate.networks.compact import Compact
from translate.networks.initialise import initialise
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

TorchEngine = Callable[[nn.Module, np.ndarray, torch.device], Call]

NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "U-Net-256": partial(UNet, norm="instance-affine"),
    "ResNet-9": partial(ResNet, norm="instance"),
    "Compact x2": partial(Compact, scale=2),
}
"""Full width; U-Net-256 as pix2pix deploys it after training at batch size 1."""


def network_named(name: str) -> nn.Module:
    """With random weights that are the same each time."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
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
    """The network as `pixturn export` writes its graph, without the proof."""
    rule: SizeRule = getattr(network, "size_rule", SizeRule())
    inputs, outputs = (Picture(name="a", size=rule),), (Picture(name="b", size=rule),)
    card = replace(CARD, inputs=inputs, outputs=outputs, scale=getattr(network, "scale", 1))
    deploy = Deploy(
        module=network, networks=(network,), task="translate", inputs=inputs, outputs=outputs, tiling="forbidden"
    )
    path.write_bytes(to_onnx(deploy, card).SerializeToString())
