"""From a method's network to what users run: named ports in, named ports out."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from translate.card import FixedPicture, Label, Latent, PicturePort, Vector
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, X
from translate.method import Deploy
from translate.networks.enlargers import EnlargerNetwork
from translate.networks.generators import TranslationNetwork


class OnPorts(nn.Module):
    """Runs `network` on one N x C x H x W tensor an input port, and gives one an output port."""

    def __init__(self, *, network: nn.Module, output_channels: tuple[int, ...]) -> None:
        super().__init__()
        self.network = network
        self.output_channels = output_channels

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs, in the ports' order."""
        stacked = inputs[0] if len(inputs) == 1 else torch.cat(inputs, dim=1)
        return self.network(stacked).split(self.output_channels, dim=1)


def translation(
    network: TranslationNetwork | EnlargerNetwork, inputs: tuple[PicturePort, ...], outputs: tuple[PicturePort, ...]
) -> Deploy:
    """A generator from the pictures of one domain to those of another, at any size in its rule."""
    return Deploy(
        module=OnPorts(network=network, output_channels=tuple(port.channels for port in outputs)),
        networks=(network,),
        task="translate",
        inputs=tuple(replace(port, size=network.size_rule) for port in inputs),
        outputs=tuple(replace(port, size=network.size_rule) for port in outputs),
        tiling=network.tiling,
    )


def enlargement(network: EnlargerNetwork, inputs: tuple[PicturePort, ...], outputs: tuple[PicturePort, ...]) -> Deploy:
    """A network that makes pictures of one domain out of smaller ones of another, at any size in its rule."""
    deploy = translation(network, inputs, outputs)
    return replace(deploy, task="upscale", scale=network.scale, outputs=outputs)


def sample_port(spec: SampleSpec, name: str = X) -> FixedPicture | Vector:
    """What a generator makes: a sample of x, under this name."""
    shape = spec.shape(X)
    if len(shape) == 1:
        return Vector(name=name, size=shape[0])
    channels, height_px, width_px = shape
    return FixedPicture(name=name, channels=channels, height_px=height_px, width_px=width_px)


def class_scores(module: nn.Module, networks: tuple[nn.Module, ...], spec: SampleSpec) -> Deploy:
    """Samples to the probabilities of their classes, `scores`.

    Args:
        module: N x *shape to N x K.
        networks: those of the method that it runs.
        spec: what the data are.
    """
    return Deploy(
        module=module,
        networks=networks,
        task="encode",
        inputs=(sample_port(spec),),
        outputs=(Vector(name="scores", size=spec.classes(LABEL)),),
    )


def generation(network: nn.Module, noise: Latent, spec: SampleSpec, *, networks: tuple[nn.Module, ...] = ()) -> Deploy:
    """A generator from noise, and from a class where the data have classes.

    Args:
        network: called with the noise, and with N classes.
        noise: what it starts from.
        spec: what the data are.
        networks: those of the method that it runs; empty: itself alone.
    """
    classes = tuple(port for port in spec.domains.get(LABEL, ()) if isinstance(port, Label))
    return Deploy(
        module=network,
        networks=networks or (network,),
        task="generate",
        inputs=(noise, *classes),
        outputs=(sample_port(spec),),
    )
