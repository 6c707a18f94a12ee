"""InfoGAN's terms and gradients against the paper's formulas, written out anew with plain torch."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, terms_of, tiny_method, tiny_recipe
from torch import Tensor

from pipelines.methods import infogan
from pipelines.methods.infogan import InfoGAN
from translate.card import FixedPicture, Label, Latent, Vector
from translate.codes import CodesConfig
from translate.errors import ConfigurationError
from translate.method import Batch
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise

PLAIN: dict[str, Any] = {
    "noise": Noise(size=5, distribution="uniform"),
    "generator": LatentGeneratorConfig(width=4),
    "discriminator": SampleDiscriminatorConfig(width=4, norm="none"),
}
CPU = torch.device("cpu")
TWO = CodesConfig(categories=(4, 3), continuous=2)
CODES = {
    "paper": CodesConfig(),
    "two": TWO,
    "categories": CodesConfig(continuous=0),
    "continuous": CodesConfig(categories=(), continuous=3),
}


def method_of(**config: Any) -> tuple[InfoGAN, Batch]:
    recipe = tiny_recipe("infogan", batch_size=4)
    recipe = replace(recipe, config=replace(recipe.config, **(PLAIN | config)))
    method = tiny_method(recipe)
    assert isinstance(method, InfoGAN)
    with torch.no_grad():  # far from the bound 0, which would be a difference of nearly equal numbers
        method.head.layers[-1].weight.mul_(10.0)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def drawn(batch: Batch, name: str) -> Tensor:
    return batch.share(name, (), lambda: pytest.fail(f"the turn drew no {name}"))


def made(method: InfoGAN, batch: Batch) -> Tensor:
    """G(z, c): the noise, each category as a row of an identity matrix, the continuous codes."""
    columns = zip(drawn(batch, "categories").T, method.config.codes.categories, strict=True)
    hot = [torch.eye(values)[column] for column, values in columns]
    return method.generator.body(torch.cat([drawn(batch, "z"), *hot, drawn(batch, "continuous")], dim=1))


def information(method: InfoGAN, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
    """-lambda (E log Q(c | G) + H(c)): H is log K, or log 2 a code from [-1, 1]; Q a Gaussian of variance 1."""
    said, terms = method.head(method.discriminator.features(fake)), dict[str, Tensor]()
    rows = torch.arange(len(fake))
    bound = torch.zeros(())
    for logits, codes in zip(said.categorical, drawn(batch, "categories").T, strict=True):
        probabilities = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
        bound = bound + probabilities[rows, codes].log().mean() + math.log(logits.shape[1])
    if said.categorical:
        terms["category"] = -method.config.category_weight * bound
    codes = drawn(batch, "continuous")
    if codes.shape[1]:
        density = (-(codes - said.continuous).square() / 2).exp() / math.sqrt(2 * math.pi)
        terms["code"] = -method.config.code_weight * (density.log() + math.log(2)).sum(dim=1).mean()
    return terms


def expected_of_discriminator(method: InfoGAN, batch: Batch) -> dict[str, Tensor]:
    fake = made(method, batch).detach()
    real_is_real = method.discriminator(batch["x"]).sigmoid()
    fake_is_real = method.discriminator(fake).sigmoid()
    value = real_is_real.log().mean() + (1 - fake_is_real).log().mean()
    return {"adversarial": -value, **information(method, batch, fake)}


def expected_of_generator(method: InfoGAN, batch: Batch) -> dict[str, Tensor]:
    fake = made(method, batch)
    return {
        "adversarial": -method.discriminator(fake).sigmoid().log().mean(),
        **information(method, batch, fake),
    }


SIDES = {"discriminator": expected_of_discriminator, "generator": expected_of_generator}
every_side = pytest.mark.parametrize("turn", SIDES)


@every_side
@pytest.mark.parametrize("codes", CODES)
def test_both_sides_play_the_game_and_raise_the_information(turn, codes):
    """V(D, G) - lambda L_I(G, Q), equations 5 and 6."""
    method, batch = method_of(codes=CODES[codes])
    assert_same_move(method, turn, batch, lambda: SIDES[turn](method, batch))


@every_side
def test_weights_are_lambdas(turn):
    method, batch = method_of(category_weight=0.5, code_weight=3.0)
    assert_same_move(method, turn, batch, lambda: SIDES[turn](method, batch))


@every_side
def test_control_the_formulas_see_another_code_told_to_q_than_to_the_generator(monkeypatch, turn):
    right = infogan.categorical_information
    monkeypatch.setattr(infogan, "categorical_information", lambda said, codes: right(said, (codes + 1) % 10))
    method, batch = method_of()
    with pytest.raises(AssertionError, match="term category"):
        assert_same_move(method, turn, batch, lambda: SIDES[turn](method, batch))


@every_side
@pytest.mark.parametrize(
    ("name", "term"), [("categorical_information", "category"), ("continuous_information", "code")]
)
def test_control_the_formulas_see_information_that_is_lowered(monkeypatch, turn, name, term):
    right = getattr(infogan, name)
    monkeypatch.setattr(infogan, name, lambda said, codes: -right(said, codes))
    method, batch = method_of()
    with pytest.raises(AssertionError, match=f"term {term}"):
        assert_same_move(method, turn, batch, lambda: SIDES[turn](method, batch))


def test_codes_stay_the_same_through_the_turns_of_an_iteration():
    method, batch = method_of()
    terms_of(method, "discriminator", batch)
    before = drawn(batch, "categories").clone(), drawn(batch, "continuous").clone()
    terms_of(method, "generator", batch)
    assert torch.equal(before[0], drawn(batch, "categories"))
    assert torch.equal(before[1], drawn(batch, "continuous"))


def test_the_noted_information_is_the_bound_in_nats():
    method, batch = method_of(category_weight=0.25)
    terms = terms_of(method, "discriminator", batch)
    noted = batch.take_notes()["information_nats"]
    assert float(noted) == pytest.approx(-4 * float(terms["category"].detach()), rel=1e-5)
    assert float(noted) <= math.log(10)


def test_codes_are_drawn_uniformly_over_their_whole_range():
    torch.manual_seed(0)
    codes = CodesConfig(categories=(4, 3), continuous=2)
    categories, continuous = codes.draw_categories(12_000, CPU), codes.draw_continuous(12_000, CPU)
    for column, values in zip(categories.T, (4, 3), strict=True):
        counts = torch.bincount(column, minlength=values).float()
        assert len(counts) == values
        assert float((counts - 12_000 / values).abs().max()) < 5 * math.sqrt(12_000 / values)
    table = torch.bincount(categories[:, 0] * 3 + categories[:, 1], minlength=12).float()
    assert float((table - 1000).abs().max()) < 5 * math.sqrt(1000), "two codes are drawn independently"
    assert -1 <= float(continuous.min()) < -0.99
    assert 0.99 < float(continuous.max()) <= 1
    assert abs(float(continuous.mean())) < 0.02
    assert float(continuous.var()) == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("codes", CODES)
def test_what_users_get_takes_the_codes_by_port_and_reads_them_back(codes):
    method, batch = method_of(codes=CODES[codes])
    method.eval()
    terms_of(method, "generator", batch)
    generate, classify = method.deploys()["generate"], method.deploys()["classify"]
    given = [*drawn(batch, "categories").T, *([drawn(batch, "continuous")] if CODES[codes].continuous else [])]
    assert len(generate.inputs) == 1 + len(given)
    with torch.no_grad():
        torch.testing.assert_close(generate.module(drawn(batch, "z"), *given), made(method, batch))
        read = classify.module(batch["x"])
        said = method.head(method.discriminator.features(batch["x"]))
    assert [port.size for port in classify.outputs] == [part.shape[1] for part in read]
    for scores, logits in zip(read, said.categorical, strict=False):
        torch.testing.assert_close(scores.log(), logits.log_softmax(dim=1))
    if CODES[codes].continuous:
        assert torch.equal(read[-1], said.continuous)


def test_ports_are_named():
    method, _ = method_of(codes=TWO)
    generate, classify = method.deploys()["generate"], method.deploys()["classify"]
    x = FixedPicture(name="x", channels=3, height_px=32, width_px=32)
    assert generate.inputs == (
        Latent(name="z", size=5, distribution="uniform"),
        Label(name="category", classes=4),
        Label(name="category2", classes=3),
        Latent(name="code", size=2, distribution="uniform"),
    )
    assert classify.outputs == (
        Vector(name="scores", size=4),
        Vector(name="scores2", size=3),
        Vector(name="code", size=2),
    )
    assert (generate.outputs, classify.inputs) == ((x,), (x,))
    assert (generate.task, classify.task) == ("generate", "encode")


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        (lambda: CodesConfig(categories=(10, 1)), r"--config\.codes\.categories is 1"),
        (lambda: CodesConfig(continuous=-1), r"--config\.codes\.continuous is -1"),
        (lambda: CodesConfig(categories=(), continuous=0), r"--config\.codes\.continuous is 0"),
        (
            lambda: InfoGAN.Config(discriminator=SampleDiscriminatorConfig(packing=2)),
            r"--config\.discriminator\.packing 2",
        ),
    ],
)
def test_codes_that_say_nothing_and_packs_are_refused(wrong, option):
    with pytest.raises(ConfigurationError, match=option):
        wrong()


def test_q_moves_with_the_discriminator_alone():
    method, _ = method_of()
    trained = {turn.name: turn.trains for turn in method.turns()}
    assert trained == {"discriminator": (method.discriminator, method.head), "generator": (method.generator,)}


def test_defaults_are_the_papers():
    recipe = InfoGAN.recipe()
    config = recipe.config
    assert (config.codes.categories, config.codes.continuous, config.head) == ((10,), 2, (128,))
    assert config.noise == Noise(size=62, distribution="uniform")
    assert (config.category_weight, config.code_weight) == (1.0, 1.0)
    assert (config.generator.dense, config.discriminator.dense) == (1024, 1024)
    rates = {name: (adam.learning_rate, adam.beta1) for name, adam in recipe.optimisers.items()}
    assert rates == {"generator": (1e-3, 0.5), "discriminator": (2e-4, 0.5), "head": (2e-4, 0.5)}
    assert (recipe.batch_size, recipe.length.images, recipe.domains.labelled) == (128, 50 * 100 * 128, False)
    assert recipe.validation.best == "kid"
