"""CGAN against its formula: both players are told the class."""

import pytest
import torch
from tiny import assert_same_move, batch_of, tiny_method, tiny_recipe
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from translate.errors import ConfigurationError
from translate.method import Batch


def made():
    recipe = tiny_recipe("cgan")
    method = tiny_method(recipe)
    return method, Batch(batch_of(recipe))


def target(scores, value):
    return cross_entropy(scores, torch.full_like(scores, value))


def test_the_discriminator_minimises_the_cross_entropy_given_the_class():
    """-E log D(x|y) - E log(1 - D(G(z|y)|y)), equation 2."""
    method, batch = made()
    z = batch.share("z", (), lambda: torch.randn(2, 8))

    def expected():
        x, y = batch["x"], batch["label"]
        fake = method.generator(z, y).detach()
        return {"adversarial": target(method.discriminator(x, y), 1.0) + target(method.discriminator(fake, y), 0.0)}

    assert_same_move(method, "discriminator", batch, expected)


def test_the_generator_minimises_minus_log_d_given_the_class():
    method, batch = made()
    z = batch.share("z", (), lambda: torch.randn(2, 8))

    def expected():
        y = batch["label"]
        return {"adversarial": target(method.discriminator(method.generator(z, y), y), 1.0)}

    assert_same_move(method, "generator", batch, expected)


def test_the_class_decides_what_is_made_and_what_is_scored():
    """The control of both: without the class, two classes would be the same."""
    method, batch = made()
    z, y = torch.randn(2, 8), batch["label"]
    other = (y + 1) % 3
    assert float((method.generator(z, y) - method.generator(z, other)).abs().max()) > 1e-4
    assert float((method.discriminator(batch["x"], y) - method.discriminator(batch["x"], other)).abs().max()) > 1e-4
    with pytest.raises(ConfigurationError, match="labels"):
        method.generator(z)
