"""The context encoder's loss against the paper's formula, written out anew."""

import torch
from tiny import assert_same_move, batch_of, tiny_method, tiny_recipe
from torch.nn import functional

from pipelines.methods.context_encoder import ContextEncoder
from translate.method import Batch


def test_it_weighs_squares_in_the_hole_with_999_and_the_game_with_1_in_a_thousand():
    """Equations 1 to 3: L = 0.999 L_rec + 0.001 L_adv, L_rec over the hole alone."""
    recipe = tiny_recipe("context_encoder")
    method = tiny_method(recipe)
    assert isinstance(method, ContextEncoder)
    batch = Batch(batch_of(recipe), frozenset(method.networks().values()))
    hole = batch["a"][:, 3:] > 0

    def expected():
        known = torch.where(hole, torch.zeros_like(batch["b"]), batch["a"][:, :3])
        made = method.generator(torch.cat([known, hole.float() * 2 - 1], dim=1))
        (fake,) = method.discriminator(torch.where(hole, made, batch["b"]))
        touches = functional.adaptive_max_pool2d(hole.float(), fake.shape[-2:]) > 0
        squares = (made - batch["b"]).square()[hole.expand_as(made)]
        return {
            "hole": 0.999 * squares.mean(),
            "adversarial": 0.001 * functional.softplus(-fake[touches]).mean(),
        }

    assert_same_move(method, "generator", batch, expected)
