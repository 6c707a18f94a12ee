"""pix2pix's terms and gradients against the papers' formulas, written out anew with plain torch."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, drawing, terms_of, tiny_engine, tiny_method, tiny_recipe
from torch import Tensor, nn
from torch.nn import functional

from pipelines.methods.pix2pix import Pix2Pix
from translate.errors import ConfigurationError
from translate.losses.gradient_penalty import GradientPenalty
from translate.method import Batch
from translate.networks.backbones import BACKBONES, LazyBackbone, LossBackbone
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.efficientnet import EfficientNetLite

PAPER = {"objective": "non-saturating"}
RICH = {"objective": "least-squares", "feature_weight": 7.0, "adversarial_weight": 3.0, "reconstruction_weight": 20.0}
PERCEPTUAL = {"perceptual_weight": 5.0, "objective": "hinge"}
COMPARING = {"objective": "relativistic"}


def method_of(name: str = "pix2pix", **config: Any) -> tuple[Pix2Pix, Batch]:
    recipe = tiny_recipe(name)
    recipe = replace(recipe, config=replace(recipe.config, **config))
    method = tiny_method(recipe)
    assert isinstance(method, Pix2Pix)
    return method, Batch(batch_of(recipe), frozenset({method.generator, method.discriminator}))


def cross_entropy(scores: Tensor, target: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


def scores(method: Pix2Pix, a: Tensor, b: Tensor) -> Tensor:
    (one,) = method.discriminator(torch.cat([a, b], dim=1))
    return one


def inner_maps(method: Pix2Pix, a: Tensor, b: Tensor) -> list[Tensor]:
    """What hooks on the discriminator's stages see, without the scores."""
    maps: list[Tensor] = []
    (discriminator,) = method.discriminator.scales
    handles = [stage.register_forward_hook(lambda _m, _i, out: maps.append(out)) for stage in discriminator.stages]
    method.discriminator(torch.cat([a, b], dim=1))
    for handle in handles:
        handle.remove()
    return maps[:-1]


def test_discriminator_halves_the_cross_entropy_of_pairs():
    """1/2 (E[-log D(a, b)] + E[-log(1 - D(a, G(a)))]), section 3.3."""
    method, batch = method_of(**PAPER)
    a, b = batch["a"], batch["b"]

    def expected():
        fake = method.generator(a).detach()
        return {
            "adversarial": (cross_entropy(scores(method, a, b), 1.0) + cross_entropy(scores(method, a, fake), 0.0)) / 2
        }

    assert_same_move(method, "discriminator", batch, expected)


def test_generator_fools_the_discriminator_and_stays_at_the_truth():
    """E[-log D(a, G(a))] + 100 E|b - G(a)|, equation 4."""
    method, batch = method_of(**PAPER)

    def expected():
        fake = method.generator(batch["a"])
        return {
            "adversarial": cross_entropy(scores(method, batch["a"], fake), 1.0),
            "reconstruction": 100.0 * (batch["b"] - fake).abs().mean(),
        }

    assert_same_move(method, "generator", batch, expected)


def test_generator_with_feature_matching_and_other_weights():
    """pix2pixHD, equation 4: the sum over inner layers of the mean absolute difference."""
    method, batch = method_of(**RICH)
    a, b = batch["a"], batch["b"]

    def expected():
        fake = method.generator(a)
        pairs = zip(inner_maps(method, a, fake), inner_maps(method, a, b), strict=True)
        return {
            "adversarial": 3.0 * (scores(method, a, fake) - 1).square().mean(),
            "reconstruction": 20.0 * functional.l1_loss(fake, b),
            "features": 7.0 * sum((functional.l1_loss(one, other) for one, other in pairs), torch.zeros(())),
        }

    assert_same_move(method, "generator", batch, expected)


def test_generator_with_the_perceptual_loss():
    """The sum over five maps of EfficientNet-Lite0 of the mean absolute difference."""
    method, batch = method_of(**PERCEPTUAL)
    a, b = batch["a"], batch["b"]
    backbone = EfficientNetLite(variant="lite0")

    def expected():
        fake = method.generator(a)
        layers = list(zip(backbone(fake), backbone(b), strict=True))
        assert len(layers) == 5
        return {
            "adversarial": -scores(method, a, fake).mean(),
            "reconstruction": 100.0 * functional.l1_loss(fake, b),
            "perceptual": 5.0 * 0.2 * sum((functional.l1_loss(one, other) for one, other in layers), torch.zeros(())),
        }

    assert_same_move(method, "generator", batch, expected)


def test_relativistic_game_compares_with_the_true_pair():
    """softplus(D(a, b) - D(a, G(a))) for the generator, half of softplus(D(a, G(a)) - D(a, b)) for the other."""
    method, batch = method_of(**COMPARING)
    a, b = batch["a"], batch["b"]

    def lead():
        return scores(method, a, b) - scores(method, a, method.generator(a))

    def generator():
        return {
            "adversarial": functional.softplus(lead()).mean(),
            "reconstruction": 100.0 * functional.l1_loss(method.generator(a), b),
        }

    assert_same_move(method, "discriminator", batch, lambda: {"adversarial": functional.softplus(-lead()).mean() / 2})
    assert_same_move(method, "generator", batch, generator)


@pytest.mark.parametrize("distance", ["l2", "charbonnier"])
def test_other_distances_to_the_truth(distance):
    method, batch = method_of(reconstruction=distance, adversarial_weight=0.5)

    def expected():
        fake = method.generator(batch["a"])
        square = (fake - batch["b"]).square()
        return {
            "adversarial": 0.5 * cross_entropy(scores(method, batch["a"], fake), 1.0),
            "reconstruction": 100.0 * (square.mean() if distance == "l2" else (square + 1e-6).sqrt().mean()),
        }

    assert_same_move(method, "generator", batch, expected)


@pytest.mark.parametrize("kind", ["r1", "r1+r2"])
def test_penalties_hold_the_discriminator_back_on_real_and_on_made_pairs(kind):
    """gamma / 2 E ||grad D||^2 over the pair (a, b) and over (a, G(a)); the gradient of the sum of all scores."""
    method, batch = method_of(
        discriminator=DiscriminatorConfig(width=4, layers=1, norm="none"),
        penalty=GradientPenalty(kind=kind, gamma=3.0),
    )
    a, b = batch["a"], batch["b"]

    def steepness(pair: Tensor) -> Tensor:
        pair = pair.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(method.discriminator(pair)[0].sum(), [pair], create_graph=True)
        return slope.square().sum() / len(pair)

    def expected():
        fake = method.generator(a).detach()
        terms = {
            "adversarial": (cross_entropy(scores(method, a, b), 1.0) + cross_entropy(scores(method, a, fake), 0.0)) / 2,
            "r1": 1.5 * steepness(torch.cat([a, b], dim=1)),
            "r2": 1.5 * steepness(torch.cat([a, fake], dim=1)),
        }
        return terms if kind == "r1+r2" else {name: terms[name] for name in ("adversarial", "r1")}

    assert_same_move(method, "discriminator", batch, expected)


def test_terms_that_are_off_cost_nothing():
    method, batch = method_of(feature_weight=0.0, perceptual_weight=0.0)
    assert terms_of(method, "generator", batch).keys() == {"adversarial", "reconstruction"}
    assert not method.backbone.is_built, "no network that nobody asks"


def test_the_loss_network_is_built_by_training_alone_and_belongs_to_no_state():
    method, batch = method_of(**PERCEPTUAL)
    keys = method.state_dict().keys()
    method.scores(batch)
    method.deploys()["AtoB"].module(batch["a"])
    assert not method.backbone.is_built
    twin = copy.deepcopy(method)
    random = torch.get_rng_state()
    first = terms_of(method, "generator", batch)
    assert method.backbone.is_built
    assert torch.equal(torch.get_rng_state(), random), "a resumed run builds it at another moment"
    assert method.state_dict().keys() == keys
    for other in (twin, copy.deepcopy(method)):
        again = terms_of(other, "generator", Batch(dict(batch.items())))
        assert torch.equal(first["perceptual"], again["perceptual"])


def test_building_a_loss_network_draws_nothing(monkeypatch):
    layer = LossBackbone(build=lambda: nn.Conv2d(3, 3, 1), weights=(1.0,))
    monkeypatch.setitem(BACKBONES, "vgg19", layer)
    random = torch.get_rng_state()
    LazyBackbone("vgg19")(torch.zeros(1, 3, 2, 2))
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("ports", [("labels:3",), ("rgb", "grey"), ("labels:12",)])
def test_a_perceptual_loss_on_what_is_no_colour_is_refused_at_once(ports):
    recipe = tiny_recipe("pix2pix", b=ports)
    config = replace(recipe.config, perceptual_weight=1.0)
    with pytest.raises(ConfigurationError, match=r"--config\.perceptual-weight 0"):
        Pix2Pix(config, recipe.spec())
    Pix2Pix(recipe.config, recipe.spec())


@pytest.mark.parametrize("kind", ["r1", "r1+r2", "wgan-gp"])
def test_a_penalty_under_batch_norm_is_refused(kind):
    penalty = GradientPenalty(kind=kind)
    with pytest.raises(ConfigurationError, match=r"--config\.discriminator\.norm"):
        Pix2Pix.Config(penalty=penalty)
    for norm in ("none", "instance"):
        Pix2Pix.Config(penalty=penalty, discriminator=DiscriminatorConfig(norm=norm))


def test_at_batch_size_1_the_discriminator_that_is_judged_is_the_one_that_plays():
    recipe = tiny_recipe("pix2pix", batch_size=1)
    engine = tiny_engine(recipe)
    discriminator = engine.networks["discriminator"]
    for _ in range(2):
        engine.play(drawing(recipe))
    batch = batch_of(recipe, 5)
    pair = torch.cat([batch["a"], batch["b"]], dim=1)
    with torch.no_grad():
        playing = discriminator.train()(pair)[0]
        judged = discriminator.eval()(pair)[0]
    torch.testing.assert_close(judged, playing, rtol=0, atol=0)


def test_discriminator_plays_first_and_the_generator_then_meets_the_moved_one():
    recipe = tiny_recipe("pix2pix")
    engine = tiny_engine(recipe)
    figures = engine.play(drawing(recipe))
    assert list(figures) == ["discriminator/adversarial", "generator/adversarial", "generator/reconstruction"]
    fresh = tiny_method(recipe)
    assert isinstance(fresh, Pix2Pix)
    fresh.discriminator.load_state_dict(engine.networks["discriminator"].state_dict())
    batch = batch_of(recipe)
    with torch.no_grad():
        met = cross_entropy(scores(fresh, batch["a"], fresh.generator(batch["a"])), 1.0)
    assert float(figures["generator/adversarial"]) == pytest.approx(float(met), rel=1e-5)


def test_defaults_are_the_papers():
    recipe = Pix2Pix.recipe()
    config = recipe.config
    assert (config.reconstruction_weight, config.adversarial_weight, config.feature_weight) == (100.0, 1.0, 0.0)
    assert config.generator.dropout == 0.5
    assert (config.generator.kind, config.generator.norm) == ("unet", "batch")
    with torch.device("meta"):
        method = Pix2Pix(config, recipe.spec())
    assert method.generator.size_rule.at_least_px == 256, "eight halvings at 256 px"
    assert (config.discriminator.layers, config.discriminator.norm) == (3, "batch")
    assert {(adam.learning_rate, adam.beta1, adam.beta2) for adam in recipe.optimisers.values()} == {(2e-4, 0.5, 0.999)}
    assert (recipe.length.epochs, recipe.batch_size, recipe.domains.paired) == (200, 1, True)
    assert (recipe.schedule.shape, recipe.schedule.hold) == ("linear", 0.5)


def test_scores_are_those_of_the_true_and_the_made_pair():
    method, batch = method_of()
    method.eval()
    found = method.scores(batch)["discriminator"]
    a, b = batch["a"], batch["b"]
    assert torch.equal(torch.cat(list(found.real)), scores(method, a, b))
    assert torch.equal(torch.cat(list(found.fake)), scores(method, a, method.generator(a)))
