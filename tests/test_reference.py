"""The benchmark's reference is what was published, and does the same work as the library: the same weights come out.

Compared in double precision. In single precision a bias before a norm has a gradient that is nothing but rounding, and
Adam makes a whole step of it, in either direction.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import CPU, CROP_PX, batch_of, tiny_method, tiny_recipe
from torch import Tensor, nn

from benchmarks.alike import copy_weights, largest_difference
from benchmarks.reference.cyclegan import CycleGAN, Pool
from benchmarks.reference.enlarging import Enlarging
from benchmarks.reference.networks import PatchGAN, ResNet, UNet
from benchmarks.reference.pix2pix import Pix2Pix
from benchmarks.reference.system import System, train
from translate.engine import Engine
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.enlargers import EnlargerConfig
from translate.networks.generators import GeneratorConfig
from translate.recipe import Recipe

WIDTH = 4
STEPS = 3
SAME, OTHER = 1e-6, 1e-5
"""Weights after the steps: below the first they are the same; a broken reference is beyond the second."""


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("build", "millions"),
    [
        (UNet, 54.414),
        (ResNet, 11.378),
        (lambda: PatchGAN(inputs=6), 2.769),
        (lambda: PatchGAN(inputs=3, norm=nn.InstanceNorm2d), 2.765),
    ],
)
def test_networks_have_the_published_numbers_of_parameters(build: Callable[[], nn.Module], millions: float):
    assert parameters(build()) / 1e6 == pytest.approx(millions, abs=5e-4)


def test_a_network_of_another_depth_has_another_number():
    assert parameters(UNet(depth=7)) / 1e6 != pytest.approx(54.414, abs=5e-4)


def pix2pix_recipe(batch_size: int) -> Recipe[Any]:
    recipe = tiny_recipe("pix2pix", batch_size=batch_size)
    generator = GeneratorConfig(width=WIDTH, depth=5, dropout=0.0)
    config = replace(recipe.config, generator=generator, discriminator=DiscriminatorConfig(width=WIDTH))
    return replace(recipe, config=config)


def cyclegan_recipe(batch_size: int) -> Recipe[Any]:
    recipe = tiny_recipe("cyclegan", batch_size=batch_size)
    generator = GeneratorConfig(kind="resnet", norm="instance", width=WIDTH, blocks=2)
    discriminator = DiscriminatorConfig(width=WIDTH, norm="instance")
    return replace(recipe, config=replace(recipe.config, generator=generator, discriminator=discriminator, pool_size=0))


def compact_recipe(batch_size: int) -> Recipe[Any]:
    recipe = tiny_recipe("compact", batch_size=batch_size)
    return replace(recipe, config=replace(recipe.config, generator=EnlargerConfig(width=WIDTH, blocks=2)))


Reference = Callable[..., System]
RECIPES: Mapping[str, Callable[[int], Recipe[Any]]] = {
    "pix2pix": pix2pix_recipe,
    "cyclegan": cyclegan_recipe,
    "compact": compact_recipe,
}
REFERENCES: Mapping[str, Reference] = {
    "pix2pix": lambda **changes: Pix2Pix(**({"width": WIDTH, "depth": 5, "dropout": 0.0} | changes)),
    "cyclegan": lambda **changes: CycleGAN(**({"width": WIDTH, "blocks": 2, "pool_size": 0} | changes)),
    "compact": lambda **changes: Enlarging(width=WIDTH, convolutions=2, **changes),
}


def after_steps(name: str, batch_size: int, **changes: Any) -> float:
    """The largest difference of a weight after both took the same steps from the same weights."""
    recipe = RECIPES[name](batch_size)
    engine = Engine(tiny_method(recipe).double(), recipe, CPU)
    reference = REFERENCES[name](**changes)
    for network in reference.networks.values():
        network.double()
    copy_weights(engine.networks, reference.networks)
    for index in range(STEPS):
        batch = {key: tensor.double() for key, tensor in batch_of(recipe, index).items()}
        engine.play(lambda batch=batch: batch)
        reference.step(batch["a"], batch["b"])
    return largest_difference(engine.networks, reference.networks)


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_the_library_and_the_reference_come_to_the_same_weights(name: str, batch_size: int):
    assert after_steps(name, batch_size) < SAME


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("pix2pix", {"l1_weight": 90.0}),
        ("cyclegan", {"identity_weight": 0.4}),
        ("cyclegan", {"cycle_weight": 9.0}),
        ("compact", {"learning_rate": 2e-3}),
    ],
)
def test_a_reference_with_another_weight_comes_to_others(name: str, changes: dict[str, float]):
    assert after_steps(name, 1, **changes) > OTHER


class GeneratorFirst(Pix2Pix):
    def step(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        fake = self.generator(a)
        return {**self._generator_step(a, b, fake), **self._discriminator_step(a, b, fake.detach())}


def test_another_order_of_play_comes_to_other_weights(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(
        REFERENCES, "pix2pix", lambda **changes: GeneratorFirst(width=WIDTH, depth=5, dropout=0.0, **changes)
    )
    assert after_steps("pix2pix", 1) > OTHER


def test_the_pool_is_filled_and_then_half_of_the_fakes_are_earlier_ones():
    random.seed(0)
    pool = Pool(size=10)
    given = [torch.full((1, 1), float(number)) for number in range(1010)]
    taken = [float(pool.exchange(fake)) for fake in given]
    assert taken[:10] == [float(number) for number in range(10)]
    earlier = [taken[number] != number for number in range(10, 1010)]
    assert 0.45 < sum(earlier) / 1000 < 0.55
    assert len(set(taken[10:])) == 1000, "none leaves the pool twice"


def test_training_reads_its_losses_rarely_and_ends_at_a_rate_of_nearly_nothing():
    torch.manual_seed(0)
    system = Enlarging(width=8, convolutions=1)
    recipe = replace(compact_recipe(2), batch_size=2)
    batch = batch_of(recipe)
    assert batch["b"].shape[-1] == CROP_PX
    read = list(train(system, iter([(batch["a"], batch["b"])] * 500), total=300))
    assert len(read) == 3
    assert read[-1]["L1"] < 0.9 * read[0]["L1"]
    assert system.optimisers["generator"].param_groups[0]["lr"] == pytest.approx(1e-3 / 150)
