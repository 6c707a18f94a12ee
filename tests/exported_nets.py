"""Networks as if they were trained, their cards, and the graphs that they are exported to."""

import copy
import itertools
from functools import cache

import torch
from small_networks import NORMS, RESAMPLINGS
from tiny import CPU, photograph, small, tiny_method, tiny_recipe
from torch import nn

from translate.card import Card, Picture
from translate.deploy import translation
from translate.export.graph import to_onnx
from translate.networks.compact import Compact
from translate.networks.difference import Difference
from translate.networks.lab import InLab
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet
from translate.runtime.torch import TorchRuntime

NETS = {
    f"{kind} {norm} {resampling}": (build, {"norm": norm, "resampling": resampling})
    for (kind, build), norm, resampling in itertools.product(
        {
            "unet": lambda **options: UNet(width=4, depth=4, **options),
            "resnet": lambda **options: ResNet(width=4, blocks=3, **options),
        }.items(),
        NORMS,
        RESAMPLINGS,
    )
}
NETS["unet deep"] = (lambda: UNet(width=2, depth=8, norm="instance"), {})
NETS["difference of unet"] = (lambda: Difference(network=UNet(width=4, depth=3), inputs=3, outputs=3), {})
NETS["difference of resnet"] = (
    lambda: Difference(network=ResNet(width=4, blocks=2, resampling="nearest"), inputs=3, outputs=3),
    {},
)
NETS["dropout"] = (lambda: ResNet(width=4, blocks=2, norm="batch", dropout=0.5), {})
NETS["compact x1"] = (lambda: Compact(width=8, convolutions=3, scale=1), {})
NETS["compact x2"] = (lambda: Compact(width=8, convolutions=3, scale=2), {})
GRAPHS = {}


def as_if_trained(network, seed):
    """Weights that keep the signal, running statistics and affine parameters that are not their initial ones."""
    torch.manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, 0.0, 0.1)
        if isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.3)
            nn.init.normal_(layer.bias, 0.0, 0.3)
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0.0, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
    for layer in network.modules():
        if isinstance(layer, InLab):
            _muted(layer)
    return network


def _muted(colouring: InLab) -> None:
    """Colours near those of photos (|a|, |b| about 10 of 110).

    At the border of sRGB's gamut the step from Lab is ill-conditioned: there the slope 12.92 of the gamma meets that
    of the cube, and 1e-6 of the network becomes up to 1e-4 of the picture. Random weights saturate most pixels.
    """
    *_, head = (layer for layer in colouring.network.modules() if isinstance(layer, nn.Conv2d))
    with torch.no_grad():
        head.weight.mul_(0.05)


def net(name, seed=0):
    build, options = NETS[name]
    return as_if_trained(build(**options), seed).eval()


def deploy_of(network):
    return translation(network, (Picture(name="a"),), (Picture(name="b"),))


def card_for(deploy, scale=1):
    ports = {"inputs": deploy.inputs, "outputs": deploy.outputs}
    return Card(task="translate", method="m", name="n", tiling=deploy.tiling, scale=scale, **ports)


def described(network):
    deploy = deploy_of(network)
    return deploy, card_for(deploy, getattr(network, "scale", 1))


def samples(count=3):
    names = ["astronaut", "coffee", "cat", "rocket", "chelsea"]
    return [{"a": photograph(name)} for name in names[:count]]


def torch_runtime(deploy, card):
    return TorchRuntime(deploy, card, CPU)


@cache
def exported(name, seed=0):
    deploy, card = described(net(name, seed))
    return deploy, card, to_onnx(deploy, card)


def traced_once(deploy, card):
    """As to_onnx: tracing takes most of the time, and the runs do not change."""
    key = (card.method, card.inputs[0].name)
    if key not in GRAPHS:
        GRAPHS[key] = to_onnx(deploy, card)
    return copy.deepcopy(GRAPHS[key])


def methods_deploys(name, shrink=small, **kinds):
    method = tiny_method(tiny_recipe(name, shrink, **kinds))
    as_if_trained(method, 1).eval()
    return method.deploys()
