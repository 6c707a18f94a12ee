"""What fits: the estimate on fake tensors against true iterations, closed forms, and what a process took."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import RECIPES, small, tiny_engine, tiny_recipe

from pipelines.training.fitting import (
    GIB,
    batch_of,
    largest,
    largest_batch,
    largest_crop_px,
    peak_bytes,
    peak_of,
    usable_bytes,
)
from pipelines.training.session import build_method
from pipelines.training.storages import LiveStorages
from translate.networks.generators import GeneratorConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.trunks import TrunkConfig
from translate.optimisers import SGD
from translate.recipe import Length, Recipe


def true_peak(recipe: Recipe[Any]) -> int:
    """The peak of the recipe's first iterations on true tensors."""
    length = Length(images=2 * recipe.batch_size * recipe.accumulate)
    return peak_of(tiny_engine(replace(recipe, length=length)), batch_of(recipe.spec()))


# Counting


def test_storages_are_counted_while_someone_holds_them():
    with LiveStorages() as live:
        first = torch.zeros(1000)  # 4000 bytes, in blocks of 512: 4096
        second = first + 1.0
        assert live.now_bytes == live.peak_bytes == 2 * 4096
        view = second[:10].reshape(2, 5)
        first.add_(1.0)
        assert live.now_bytes == 2 * 4096, "views and changes in place take nothing"
        del second
        assert live.now_bytes == 2 * 4096, "the view holds it"
        del view
        assert live.now_bytes == 4096
        torch.zeros(1)
        assert (live.now_bytes, live.peak_bytes) == (4096, 2 * 4096)
    assert first.sum() == 1000


def test_maps_are_held_for_the_way_back():
    """Of a row of sigmoids each keeps what it made; without gradients two live at once."""
    picture = torch.zeros(128, requires_grad=True)

    def peak() -> int:
        with LiveStorages() as live:
            maps = picture
            for _ in range(10):
                maps = maps.sigmoid()
        return live.peak_bytes

    assert peak() == 11 * 512
    with torch.no_grad():
        assert peak() == 3 * 512


# The estimate


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("pix2pix", {"average_half_life_images": 10.0}),
        ("compact-gan", {}),
        ("cyclegan", {"recompute": True, "precision": "bf16"}),
        ("sgan", {"accumulate": 2}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fake_tensors_take_what_true_ones_take(name: str, changes: dict[str, Any]):
    recipe = tiny_recipe(name, small, **changes)
    assert peak_bytes(recipe) == pytest.approx(true_peak(recipe), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_fake_tensors_take_what_true_ones_take_in_every_recipe(name: str):
    recipe = tiny_recipe(name, small)
    assert peak_bytes(recipe) == pytest.approx(true_peak(recipe), rel=0.01)


def test_weights_have_gradients_and_two_moments_and_averages():
    """Where maps are next to nothing: each weight four times (Adam), and once more where it is averaged."""
    recipe = tiny_recipe("gan", width_of_1000)
    weights = 4 * sum(tensor.numel() for tensor in build_method(recipe).parameters())
    plain = peak_bytes(recipe)
    assert 4.0 * weights < plain < 4.3 * weights
    averaged = peak_bytes(replace(recipe, average_half_life_images=1000.0)) - plain
    assert averaged == pytest.approx(weights, rel=0.01)
    held = {name: SGD(momentum=0.0) for name in recipe.optimisers}
    assert peak_bytes(replace(recipe, optimisers=held)) < plain - 0.5 * weights


def width_of_1000(part: Any) -> Any:
    part = small(part)
    return replace(part, widths=(1000, 1000)) if isinstance(part, TrunkConfig | LatentGeneratorConfig) else part


@pytest.mark.slow
def test_more_pictures_take_more_and_recomputation_less():
    recipe = tiny_recipe("pix2pix", nine_blocks)
    whole = [peak_bytes(recipe, batch_size=size) for size in (8, 12, 16)]
    assert whole[2] - whole[1] == pytest.approx(whole[1] - whole[0], rel=0.03)
    assert peak_bytes(recipe, batch_size=4, crop_px=64) == pytest.approx(whole[2], rel=0.1)
    assert peak_bytes(replace(recipe, recompute=True), batch_size=16) < 0.5 * whole[2]
    assert peak_bytes(replace(recipe, precision="bf16"), batch_size=16) < 0.9 * whole[2]


def nine_blocks(part: Any) -> Any:
    return replace(small(part), kind="resnet", blocks=9) if isinstance(part, GeneratorConfig) else small(part)


def test_an_estimate_draws_nothing_from_the_runs_numbers():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    peak_bytes(tiny_recipe("compact", small))
    assert torch.equal(torch.rand(3), expected)


# The largest


@pytest.mark.parametrize(
    "needed",
    [
        lambda size: 900 + 100 * size,
        lambda size: 7 * size * size,
        lambda size: max(1000, 90 * size) + (50 if size > 1 else 0),
        lambda size: 500 * size // 3,
    ],
    ids=["a line", "a parabola", "from some size on", "steps"],
)
@pytest.mark.parametrize("available", [0, 999, 1000, 1001, 5000, 12345])
def test_the_largest_that_fits(needed: Callable[[int], int], available: int):
    asked: list[int] = []

    def counting(size: int) -> int:
        asked.append(size)
        return needed(size)

    best = max((size for size in range(1, 2000) if needed(size) <= available), default=0)
    assert largest(counting, available) == best
    assert len(asked) <= 20


def test_the_largest_batch_fits_and_one_more_does_not():
    recipe = tiny_recipe("compact", small)
    usable = 3_000_000
    memory = next(size for size in range(GIB, 2 * GIB, 1000) if usable_bytes(size) >= usable)
    best = largest_batch(recipe, memory)
    assert peak_bytes(recipe, batch_size=best) <= usable_bytes(memory) < peak_bytes(recipe, batch_size=best + 1)
    side = largest_crop_px(recipe, memory, step_px=16)
    assert side > 32
    assert peak_bytes(recipe, crop_px=side) <= usable_bytes(memory) < peak_bytes(recipe, crop_px=side + 16)
    assert largest_batch(recipe, GIB) == 0, "a card that holds the context alone"
