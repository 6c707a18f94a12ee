"""SRGAN's terms and gradients in both stages against the paper's formulas, written out anew with plain torch."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, tiny_method, tiny_recipe
from torch import Tensor
from torch.nn import functional

from pipelines.methods.srgan import SRGAN
from translate.card import Picture
from translate.errors import ConfigurationError
from translate.method import Batch, Progress
from translate.networks.efficientnet import EfficientNetLite

PROGRESS = Progress(images=0, total_images=1)


def method_of(**config: Any) -> tuple[SRGAN, Batch]:
    recipe = tiny_recipe("srgan")
    recipe = replace(recipe, config=replace(recipe.config, **config))
    method = tiny_method(recipe)
    assert isinstance(method, SRGAN)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def cross_entropy(scores: Tensor, target: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


def test_the_first_stage_is_the_distance_of_the_pixels_alone():
    """E |b - G(a)|; squared in the paper (equation 4), for which there is l2."""
    for name, distance in (("l1", functional.l1_loss), ("l2", functional.mse_loss)):
        method, batch = method_of(reconstruction=name)
        assert_same_move(
            method,
            "pixel",
            batch,
            lambda method=method, batch=batch, distance=distance: {
                "reconstruction": distance(method.generator(batch["a"]), batch["b"])
            },
        )


def test_discriminator_minimises_the_cross_entropy():
    """-log D(b) - log(1 - D(G(a))), equation 2."""
    method, batch = method_of()

    def expected():
        (real,), (fake,) = method.discriminator(batch["b"]), method.discriminator(method.generator(batch["a"]).detach())
        return {"adversarial": cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)}

    assert_same_move(method, "discriminator", batch, expected)


def test_generator_looks_right_fools_the_discriminator_and_stays_near_the_pixels():
    """Equation 3, with the distance of the pixels beside it."""
    method, batch = method_of(perceptual_weight=0.7, adversarial_weight=0.02, reconstruction_weight=3.0)
    backbone = EfficientNetLite(variant="lite0")

    def expected():
        fake = method.generator(batch["a"])
        (scored,) = method.discriminator(fake)
        layers = zip(backbone(fake), backbone(batch["b"]), strict=True)
        return {
            "adversarial": 0.02 * cross_entropy(scored, 1.0),
            "reconstruction": 3.0 * functional.l1_loss(fake, batch["b"]),
            "perceptual": 0.7 * 0.2 * sum((functional.l1_loss(one, two) for one, two in layers), torch.zeros(())),
        }

    assert_same_move(method, "generator", batch, expected)


@pytest.mark.parametrize(("until", "played"), [(0.25, "pixel"), (0.75, "discriminator generator")])
def test_stages_follow_one_another(until: float, played: str):
    method, _ = method_of(pixel_until=0.5)
    progress = Progress(images=round(100 * until), total_images=100)
    assert [turn.name for turn in method.turns() if turn.is_due(0, progress)] == played.split()


def test_a_stage_that_is_not_played_has_no_networks_and_no_turns():
    alone, _ = method_of(pixel_until=1.0)
    assert list(alone.networks()) == ["generator"]
    assert [turn.name for turn in alone.turns()] == ["pixel"]
    game, _ = method_of(pixel_until=0.0)
    assert [turn.name for turn in game.turns()] == ["discriminator", "generator"]


def test_an_untrained_generator_enlarges_plainly():
    """So that learning starts at what interpolation does, and not at noise."""
    method, batch = method_of()
    plain = functional.interpolate(batch["a"], scale_factor=4.0, mode="bilinear")
    made = method.generator(batch["a"]).detach()
    assert float((made - plain).abs().mean()) < 0.05 < float((batch["b"] - plain).abs().mean())


def test_its_card_says_how_much_larger_pictures_become():
    method, _ = method_of()
    deploy = method.deploys()["upscale"]
    assert (deploy.task, deploy.scale) == ("upscale", 4)
    assert all(isinstance(port, Picture) and port.channels == 3 for port in (*deploy.inputs, *deploy.outputs))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_stage_longer_than_the_run_is_refused(wrong: float):
    with pytest.raises(ConfigurationError, match="pixel-until"):
        method_of(pixel_until=wrong)
