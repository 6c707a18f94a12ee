"""LaMa's mask-aware game, its distances and its deploy against the paper's formulas, written out anew."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, tiny_method, tiny_recipe
from torch import Tensor
from torch.nn import functional

from pipelines.methods.lama import LaMa
from translate.data.making import Shrunk
from translate.errors import ConfigurationError
from translate.losses.gradient_penalty import GradientPenalty
from translate.method import Batch


def method_of(**config: Any) -> tuple[LaMa, Batch]:
    recipe = tiny_recipe("lama")
    plain: dict[str, Any] = {"feature_weight": 0.0, "penalty": GradientPenalty()}
    recipe = replace(recipe, config=replace(recipe.config, **(plain | config)))
    method = tiny_method(recipe)
    assert isinstance(method, LaMa)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def made_by(method: LaMa, batch: Batch) -> tuple[Tensor, Tensor]:
    """The network's own picture, and the true one with its hole filled by it."""
    picture, mask = batch["a"][:, :3], batch["a"][:, 3:]
    hole = (mask > 0).float()
    made = method.generator(torch.cat([picture * (1 - hole), hole * 2 - 1], dim=1))
    return made, made * hole + batch["b"] * (1 - hole)


def touched(batch: Batch, scores: Tensor) -> Tensor:
    """Of each score whether its share of the picture has a pixel of the hole, by loops."""
    hole = batch["a"][:, 3] > 0
    height, width = scores.shape[-2:]
    rows = [(i * 32 // height, -(-(i + 1) * 32 // height)) for i in range(height)]
    columns = [(i * 32 // width, -(-(i + 1) * 32 // width)) for i in range(width)]
    found = [
        [[bool(one[top:bottom, left:right].any()) for left, right in columns] for top, bottom in rows] for one in hole
    ]
    return torch.tensor(found).unsqueeze(1)


def test_only_patches_that_touch_the_hole_are_called_made():
    """Section 2.3: -log D(x) - m log(1 - D(y)) - (1 - m) log D(y)."""
    method, batch = method_of()

    def expected():
        (real,) = method.discriminator(batch["b"])
        (fake,) = method.discriminator(made_by(method, batch)[1].detach())
        touches = touched(batch, fake)
        assert 0 < int(touches.sum()) < touches.numel()
        target = (~touches).float()
        entropy = functional.binary_cross_entropy_with_logits
        return {"adversarial": entropy(real, torch.ones_like(real)) + entropy(fake, target)}

    assert_same_move(method, "discriminator", batch, expected)


def test_the_generator_fools_where_it_filled_and_keeps_what_is_known():
    method, batch = method_of(hole_weight=3.0, known_weight=5.0, adversarial_weight=2.0)

    def expected():
        made, filled = made_by(method, batch)
        (fake,) = method.discriminator(filled)
        touches, hole = touched(batch, fake), (batch["a"][:, 3:] > 0).expand_as(made)
        return {
            "hole": 3.0 * (made - batch["b"])[hole].abs().mean(),
            "known": 5.0 * (made - batch["b"])[~hole].abs().mean(),
            "adversarial": 2.0 * functional.softplus(-fake[touches]).mean(),
        }

    assert_same_move(method, "generator", batch, expected)


def test_known_pixels_come_back_as_they_were_whatever_stood_in_the_hole():
    method, batch = method_of()
    module = method.deploys()["inpaint"].module.eval()
    picture, mask = batch["a"][:, :3], batch["a"][:, 3:]
    rubbish = torch.where(mask > 0, torch.rand_like(picture) * 2 - 1, picture)
    filled, again = module(picture, mask), module(rubbish, 0.3 * mask)
    assert torch.equal(filled, again)
    assert torch.equal(filled.where(mask <= 0, picture), picture)
    assert not torch.equal(filled, picture)


def test_a_game_that_compares_and_pairs_without_a_mask_are_refused():
    with pytest.raises(ConfigurationError, match="patch by patch"):
        method_of(objective="relativistic")
    recipe = tiny_recipe("lama")
    with pytest.raises(ConfigurationError, match="holes"):
        tiny_method(replace(recipe, domains=replace(recipe.domains, making=Shrunk(scale=2))))


def test_without_an_adversary_there_is_no_discriminator():
    method, _ = method_of(adversarial_weight=0.0)
    assert list(method.networks()) == ["generator"]
    assert [turn.name for turn in method.turns()] == ["generator"]
