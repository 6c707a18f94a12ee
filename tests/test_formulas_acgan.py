"""AC-GAN's terms and gradients against the paper's formulas, written out anew with plain torch."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, terms_of, tiny_method, tiny_recipe
from torch import Tensor
from torch.nn import functional

from pipelines.methods import acgan
from pipelines.methods.acgan import ACGAN
from translate.card import FixedPicture, Label, Latent, Vector
from translate.errors import ConfigurationError
from translate.method import Batch
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise

CLASSES = 3
PLAIN: dict[str, Any] = {
    "noise": Noise(size=5),
    "generator": LatentGeneratorConfig(width=4, embedding=0),
    "discriminator": SampleDiscriminatorConfig(width=4, norm="none"),
}


def method_of(**config: Any) -> tuple[ACGAN, Batch]:
    recipe = tiny_recipe("acgan", batch_size=4)
    recipe = replace(recipe, config=replace(recipe.config, **(PLAIN | config)))
    method = tiny_method(recipe)
    assert isinstance(method, ACGAN)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def made(method: ACGAN, batch: Batch) -> Tensor:
    """G(c, z) with the class one-hot beside the noise that the turn has drawn."""
    z = batch.share("z", (), lambda: pytest.fail("the turn drew no noise"))
    return method.generator.body(torch.cat([z, torch.eye(CLASSES)[batch["label"]]], dim=1))


def log_class(method: ACGAN, x: Tensor, labels: Tensor) -> Tensor:
    """E log P(C = c | x)."""
    logits = method.classifier(method.discriminator.features(x))
    probabilities = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    return probabilities[torch.arange(len(x)), labels].log().mean()


def expected_of_discriminator(method: ACGAN, batch: Batch, weight: float = 1.0) -> dict[str, Tensor]:
    fake, labels = made(method, batch).detach(), batch["label"]
    real_is_real = method.discriminator(batch["x"]).sigmoid()
    fake_is_real = method.discriminator(fake).sigmoid()
    return {
        "adversarial": -real_is_real.log().mean() - (1 - fake_is_real).log().mean(),
        "class_real": -weight * log_class(method, batch["x"], labels),
        "class_fake": -weight * log_class(method, fake, labels),
    }


def expected_of_generator(method: ACGAN, batch: Batch, weight: float = 1.0) -> dict[str, Tensor]:
    fake = made(method, batch)
    return {
        "adversarial": -method.discriminator(fake).sigmoid().log().mean(),
        "class": -weight * log_class(method, fake, batch["label"]),
    }


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_discriminator_and_classifier_maximise_the_source_and_the_class(weight):
    """L_S + L_C, equations 2 and 3."""
    method, batch = method_of(class_weight=weight)
    assert_same_move(method, "discriminator", batch, lambda: expected_of_discriminator(method, batch, weight))


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_generator_maximises_the_class_and_fools(weight):
    """L_C - L_S, with -log P(S = real | G) for the second."""
    method, batch = method_of(class_weight=weight)
    assert_same_move(method, "generator", batch, lambda: expected_of_generator(method, batch, weight))


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_the_classifier_learns_from_made_samples_as_much_as_is_said(share):
    """On the discriminator's side alone: the generator is paid for its classes all the same."""
    method, batch = method_of(made_share=share)
    assert_same_move(method, "generator", batch, lambda: expected_of_generator(method, batch))
    terms, truth = terms_of(method, "discriminator", batch), expected_of_discriminator(method, batch)
    assert ("class_fake" in terms) == (share > 0)
    torch.testing.assert_close(terms["class_real"], truth["class_real"])
    if share:
        torch.testing.assert_close(terms["class_fake"], share * truth["class_fake"])


def double_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits.softmax(dim=1), labels)


def confused(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels.roll(1))


@pytest.mark.parametrize("broken", [double_softmax, confused, lambda logits, labels: -double_softmax(logits, labels)])
@pytest.mark.parametrize(
    ("turn", "expected"), [("discriminator", expected_of_discriminator), ("generator", expected_of_generator)]
)
def test_control_the_formulas_see_a_broken_classifier(monkeypatch, broken, turn, expected):
    monkeypatch.setattr(acgan, "classification", broken)
    method, batch = method_of()
    with pytest.raises(AssertionError, match="class"):
        assert_same_move(method, turn, batch, lambda: expected(method, batch))


def test_the_classifier_moves_with_the_discriminator_and_never_with_the_generator():
    method, _ = method_of()
    trained = {turn.name: turn.trains for turn in method.turns()}
    assert trained == {
        "discriminator": (method.discriminator, method.classifier),
        "generator": (method.generator,),
    }


def test_the_discriminator_is_not_told_the_class():
    method, batch = method_of()
    first = terms_of(method, "discriminator", batch)
    tensors = dict(batch.items())
    fake = batch.share("fake", method.generator, lambda: pytest.fail("no fake"))
    other = Batch(tensors | {"label": (tensors["label"] + 1) % CLASSES})
    other.share("fake", method.generator, lambda: fake)
    second = terms_of(method, "discriminator", other)
    assert torch.equal(first["adversarial"], second["adversarial"])
    assert not torch.equal(first["class_real"], second["class_real"])


def test_packs_are_refused_by_their_option():
    with pytest.raises(ConfigurationError, match=r"--config\.discriminator\.packing 2"):
        ACGAN.Config(discriminator=SampleDiscriminatorConfig(packing=2))


def test_a_share_below_nothing_is_refused():
    with pytest.raises(ConfigurationError, match=r"--config\.made-share is -1"):
        ACGAN.Config(made_share=-1)


def test_what_users_get_makes_a_class_and_reads_it():
    method, batch = method_of()
    method.eval()
    generate, classify = method.deploys()["generate"], method.deploys()["classify"]
    x = FixedPicture(name="x", channels=3, height_px=32, width_px=32)
    label = Label(name="label", classes=3, names=("dark", "middle", "light"))
    assert (generate.task, generate.inputs, generate.outputs) == ("generate", (Latent(name="z", size=5), label), (x,))
    assert (classify.task, classify.inputs) == ("encode", (x,))
    assert classify.outputs == (Vector(name="scores", size=CLASSES),)
    scores = classify.module(batch["x"])
    logits = method.classifier(method.discriminator.features(batch["x"]))
    torch.testing.assert_close(scores.log(), logits.log_softmax(dim=1))
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(4))
    assert set(classify.networks) == {method.discriminator, method.classifier}


def test_what_is_noted_are_probabilities():
    method, batch = method_of()
    terms_of(method, "discriminator", batch)
    noted = batch.take_notes()
    real = method.discriminator(batch["x"]).sigmoid().mean()
    assert float(noted["D(x)"]) == pytest.approx(float(real.detach()), rel=1e-5)
    assert 0 < float(noted["D(G(z))"]) < 1


def test_defaults_are_the_papers():
    recipe = ACGAN.recipe()
    assert {(adam.learning_rate, adam.beta1, adam.beta2) for adam in recipe.optimisers.values()} == {(2e-4, 0.5, 0.999)}
    assert (recipe.batch_size, recipe.schedule.shape, recipe.domains.labelled) == (100, "constant", True)
    config = recipe.config
    assert (config.class_weight, config.discriminator.dropout, config.game.objective) == (1.0, 0.5, "non-saturating")
    assert (config.noise.size, config.generator.embedding, recipe.validation.best) == (100, 0, "kid")
