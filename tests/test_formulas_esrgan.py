"""ESRGAN's game and weights against the paper's formulas, written out anew with plain torch."""

import torch
from tiny import assert_same_move, batch_of, tiny_method, tiny_recipe
from torch import Tensor
from torch.nn import functional

from pipelines.methods.esrgan import ESRGAN
from translate.method import Batch


def method_and_batch() -> tuple[ESRGAN, Batch]:
    recipe = tiny_recipe("esrgan")
    method = tiny_method(recipe)
    assert isinstance(method, ESRGAN)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def average_game(ahead: Tensor, behind: Tensor) -> Tensor:
    """-E log sigma(C(x) - E C(y)) - E log(1 - sigma(C(y) - E C(x))), halved; by torch's own cross-entropy."""
    ones, zeros = torch.ones_like(ahead), torch.zeros_like(behind)
    entropy = functional.binary_cross_entropy_with_logits
    return 0.5 * (entropy(ahead - behind.mean(), ones) + entropy(behind - ahead.mean(), zeros))


def test_the_discriminator_says_which_is_the_more_real_than_the_mean_of_the_others():
    """Equation 1."""
    method, batch = method_and_batch()

    def expected():
        (real,), (fake,) = method.discriminator(batch["b"]), method.discriminator(method.generator(batch["a"]).detach())
        return {"adversarial": average_game(real, fake)}

    assert_same_move(method, "discriminator", batch, expected)


def test_the_generator_plays_the_mirrored_game_with_the_papers_weights():
    """Equations 2 and 3: 0.005 of the game, 0.01 of the pixels."""
    method, batch = method_and_batch()

    def expected():
        fake = method.generator(batch["a"])
        (real,), (made,) = method.discriminator(batch["b"]), method.discriminator(fake)
        return {
            "adversarial": 0.005 * average_game(made, real),
            "reconstruction": 0.01 * functional.l1_loss(fake, batch["b"]),
        }

    assert_same_move(method, "generator", batch, expected)


def test_its_game_differs_from_pairing_scores_off():
    """The broken control: relativistic pairing (R3GAN's) is another number on the same scores."""
    torch.manual_seed(0)
    real, fake = torch.randn(2, 1, 4, 4), torch.randn(2, 1, 4, 4)
    paired = functional.softplus(fake - real).mean()
    assert abs(float(average_game(real, fake) - paired)) > 1e-3
