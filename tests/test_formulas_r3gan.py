"""R3GAN against its formulas: relativistic pairing, both penalties, and the burn-in."""

import pytest
import torch
from tiny import batch_of, terms_of, tiny_method, tiny_recipe
from torch.nn.functional import softplus

from pipelines.methods import method_class
from pipelines.methods.r3gan import BURN_IN
from translate.method import Batch, Progress

GAMMA = 0.1


def made():
    recipe = tiny_recipe("r3gan")
    method = tiny_method(recipe)
    return method, Batch(batch_of(recipe))


def norm_of_gradient(discriminator, samples):
    samples = samples.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(discriminator(samples).sum(), samples, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


@pytest.mark.parametrize(("images", "factor"), [(0, 10.0), (int(1000 * BURN_IN), 1.0), (1000, 1.0)])
def test_the_discriminators_loss_is_equation_2_with_both_penalties_and_their_burn_in(images, factor):
    method, batch = made()
    for parameter in method.discriminator.parameters():  # fix-up init starts branches at zero: move them
        parameter.data += 0.05 * torch.randn_like(parameter)
    z = batch.share("z", (), lambda: torch.randn(2, 8))
    fake = method.generator(z).detach()
    terms = terms_of(method, "discriminator", batch, Progress(images=images, total_images=1000))
    scores = method.discriminator(batch["x"]), method.discriminator(fake)
    torch.testing.assert_close(terms["adversarial"], softplus(scores[1] - scores[0]).mean())
    for name, samples in (("r1", batch["x"]), ("r2", fake)):
        expected = factor * 0.5 * GAMMA * norm_of_gradient(method.discriminator, samples)
        torch.testing.assert_close(terms[name], expected, rtol=1e-4, atol=1e-7)
        assert float(terms[name]) > 0


def test_the_generator_is_compared_with_real_samples():
    method, batch = made()
    z = batch.share("z", (), lambda: torch.randn(2, 8))
    terms = terms_of(method, "generator", batch)
    lead = method.discriminator(batch["x"]) - method.discriminator(method.generator(z))
    torch.testing.assert_close(terms["adversarial"], softplus(lead).mean())
    assert set(terms) == {"adversarial"}


def test_rates_fall_over_the_burn_in_and_stay():
    recipe = method_class("r3gan").recipe()
    factors = [recipe.schedule.factor(part) for part in (0.0, BURN_IN / 2, BURN_IN, 1.0)]
    assert factors == pytest.approx([1.0, 0.625, 0.25, 0.25])
    for adam in recipe.optimisers.values():
        assert (adam.learning_rate, adam.beta1) == (2e-4, 0.0)
        assert (adam.beta2_start, adam.beta2, adam.beta2_until) == (0.9, 0.99, BURN_IN)
    assert (recipe.config.generator.norm, recipe.config.discriminator.norm) == ("none", "none")
