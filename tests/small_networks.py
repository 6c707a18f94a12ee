"""Generators and discriminators of two channels, in every norm and resampling, for tests of all of them."""

from translate.networks.patch import PatchDiscriminator, PixelDiscriminator
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

NORMS = ["instance", "instance-affine", "batch", "none"]

RESAMPLINGS = ["paper", "blur", "nearest"]

GENERATORS = {
    "unet": lambda **options: UNet(width=2, depth=3, **options),
    "resnet": lambda **options: ResNet(width=2, blocks=2, **options),
}

DISCRIMINATORS = {
    "patch": lambda **options: PatchDiscriminator(width=2, layers=2, **options),
    "patch blur": lambda **options: PatchDiscriminator(width=2, layers=2, resampling="blur", **options),
    "pixel": lambda **options: PixelDiscriminator(width=2, **options),
}


def weights(network):
    return sum(parameter.numel() for parameter in network.parameters())
