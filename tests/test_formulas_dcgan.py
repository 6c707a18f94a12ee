"""DCGAN against its paper: layers, weights and rates."""

import torch
from small_networks import weights
from tiny import drawing, tiny_recipe
from torch import nn

from pipelines.methods import method_class
from translate.card import Picture
from translate.data.domain import SampleSpec


def published():
    """As `pytorch/examples/dcgan` and the paper have it: 64 px, RGB, 64 channels."""
    torch.manual_seed(0)
    recipe = method_class("dcgan").recipe()
    spec = SampleSpec(domains={"x": (Picture(name="x"),)}, height_px=64, width_px=64, batch_size=8)
    return recipe, method_class("dcgan")(recipe.config, spec)


def test_the_networks_are_the_published_ones():
    _, method = published()
    assert (weights(method.generator), weights(method.discriminator)) == (3_576_704, 2_765_568)
    kinds = {kind for layer in method.modules() for kind in type(layer).mro()}
    assert nn.Linear not in {type(layer) for layer in method.generator.body[1:].modules()}
    assert {nn.BatchNorm2d, nn.ConvTranspose2d, nn.Conv2d, nn.Tanh} <= kinds
    assert not any(isinstance(layer, nn.MaxPool2d | nn.AvgPool2d) for layer in method.modules())


def test_weights_start_from_a_normal_distribution_of_002():
    _, method = published()
    for layer in method.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert abs(float(layer.weight.mean())) < 2e-3
            assert abs(float(layer.weight.std()) - 0.02) < 3e-3


def test_rates_and_batches_are_the_papers():
    recipe, _ = published()
    for adam in recipe.optimisers.values():
        assert (adam.learning_rate, adam.beta1, adam.beta2) == (2e-4, 0.5, 0.999)
    assert (recipe.batch_size, recipe.schedule.shape, recipe.config.noise.size) == (128, "constant", 100)
    assert recipe.config.game.objective == "non-saturating"


def test_pictures_leave_the_generator_between_minus_one_and_one():
    _, method = published()
    made = method.generator(5.0 * torch.randn(4, 100))
    assert made.shape == (4, 3, 64, 64)
    assert float(made.abs().max()) <= 1.0
    assert drawing(tiny_recipe("dcgan"))()["x"].shape[1:] == (3, 32, 32)
