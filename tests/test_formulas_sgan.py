"""The semi-supervised GAN's terms and gradients against the paper's formulas, written out anew with plain torch."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, terms_of, tiny_engine, tiny_method, tiny_recipe
from torch import Tensor

from pipelines.methods import sgan
from pipelines.methods.sgan import SGAN
from translate.averaging import deployed_networks
from translate.card import FixedPicture, Latent, Vector
from translate.errors import ConfigurationError
from translate.losses.adversarial import NON_SATURATING
from translate.method import Batch, Progress
from translate.networks.class_discriminators import ClassifierDiscriminatorConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.noise import Noise
from translate.ramp import Ramp

CLASSES = 3
LABELLED = 2
"""The only sample of the batch whose label is known."""
PLAIN: dict[str, Any] = {
    "noise": Noise(size=5, distribution="uniform"),
    "generator": LatentGeneratorConfig(kind="mlp", widths=(8, 8), activation="softplus"),
    "discriminator": ClassifierDiscriminatorConfig(widths=(8, 6), input_noise=0.0, noise=0.0),
}


def recipe_of(**config: Any):
    recipe = tiny_recipe("sgan", batch_size=4)
    return replace(recipe, config=replace(recipe.config, **(PLAIN | config)))


def tensors_of(recipe: Any) -> dict[str, Tensor]:
    """A batch with one label, so that what the memory gives is known."""
    tensors = batch_of(recipe)
    known = torch.arange(len(tensors["label"])) == LABELLED
    return tensors | {"label": torch.where(known, tensors["label"], -1)}


def method_of(**config: Any) -> tuple[SGAN, Batch]:
    recipe = recipe_of(**config)
    method = tiny_method(recipe)
    assert isinstance(method, SGAN)
    return method, Batch(tensors_of(recipe), frozenset(method.networks().values()))


def made(method: SGAN, batch: Batch) -> Tensor:
    return method.generator(batch.share("z", (), lambda: pytest.fail("the turn drew no noise")))


def probabilities(method: SGAN, x: Tensor) -> Tensor:
    """p(y | x) of K + 1 classes, the last being "made", whose logit is 0."""
    powers = torch.cat([method.discriminator(x), torch.zeros(len(x), 1)], dim=1).exp()
    return powers / powers.sum(dim=1, keepdim=True)


def expected_of_discriminator(
    method: SGAN, batch: Batch, supervised: float = 1.0, unsupervised: float = 0.5
) -> dict[str, Tensor]:
    of_real, of_fake = probabilities(method, batch["x"]), probabilities(method, made(method, batch).detach())
    label = int(batch["label"][LABELLED])
    given_real = of_real[LABELLED, label] / of_real[LABELLED, :CLASSES].sum()
    return {
        "supervised": -supervised * given_real.log(),
        "unsupervised": -unsupervised * ((1 - of_real[:, -1]).log().mean() + of_fake[:, -1].log().mean()),
    }


def features(method: SGAN, x: Tensor) -> Tensor:
    """What enters the last layer."""
    seen: list[Tensor] = []
    handle = method.discriminator.last.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    method.discriminator(x)
    handle.remove()
    return seen[0]


def expected_of_generator(method: SGAN, batch: Batch) -> dict[str, Tensor]:
    apart = features(method, made(method, batch)).mean(dim=0) - features(method, batch["x"]).mean(dim=0)
    return {"features": (apart * apart).sum()}


@pytest.mark.parametrize("weights", [(1.0, 0.5), (3.0, 0.25)])
def test_classifier_learns_from_labels_and_from_what_is_real(weights):
    """L_supervised and L_unsupervised (section 5), the latter as a mean over its two halves."""
    method, batch = method_of(supervised_weight=weights[0], unsupervised_weight=weights[1])
    assert_same_move(method, "discriminator", batch, lambda: expected_of_discriminator(method, batch, *weights))


def test_classes_of_real_samples_are_to_be_clear_and_to_stay(monkeypatch):
    """E H(p) (Dai et al. 2017, equation 8) and E |p - q|^2 (Laine and Aila 2017), each halfway up its ramp."""
    ramp = Ramp(start=0.0, end=4.0, until_fraction=1.0, shape="linear")
    method, batch = method_of(entropy=ramp, agreement=replace(ramp, end=6.0))
    looks = iter([0.0, 0.0, 0.1])  # of the real samples, of the made ones, of the real ones again
    monkeypatch.setattr(method, "_moved", lambda x: x + next(looks))
    terms = method.discriminator_loss(batch, Progress(images=1, total_images=2))
    p, q = method.discriminator(batch["x"]).softmax(dim=1), method.discriminator(batch["x"] + 0.1).softmax(dim=1)
    torch.testing.assert_close(terms["entropy"], -2 * (p * p.log()).sum(dim=1).mean())
    torch.testing.assert_close(terms["agreement"], 3 * ((p - q) ** 2).sum(dim=1).mean())
    assert float(terms["agreement"].detach()) > 0


def test_what_has_no_weight_is_no_term():
    method, batch = method_of()
    assert set(terms_of(method, "discriminator", batch)) == {"supervised", "unsupervised"}


def test_generator_matches_mean_features():
    """||E f(x) - E f(G(z))||^2, section 3.1."""
    method, batch = method_of()
    assert_same_move(method, "generator", batch, lambda: expected_of_generator(method, batch))


def largest(logits: Tensor) -> Tensor:
    return logits.amax(dim=1)


def double_softmax(logits: Tensor) -> Tensor:
    return logits.softmax(dim=1).logsumexp(dim=1)


@pytest.mark.parametrize("score", [largest, double_softmax])
def test_control_the_formulas_see_another_score(monkeypatch, score):
    monkeypatch.setattr(sgan, "real_score", score)
    method, batch = method_of()
    with pytest.raises(AssertionError, match="term unsupervised"):
        assert_same_move(method, "discriminator", batch, lambda: expected_of_discriminator(method, batch))


def test_control_the_formulas_see_hidden_labels_taken_for_a_class(monkeypatch):
    gather = sgan.LabelledMemory.gather
    monkeypatch.setattr(sgan.LabelledMemory, "gather", lambda memory, x, labels: gather(memory, x, labels.clamp(min=0)))
    method, batch = method_of()
    with pytest.raises(AssertionError, match="term supervised"):
        assert_same_move(method, "discriminator", batch, lambda: expected_of_discriminator(method, batch))


def test_control_the_formulas_see_a_generator_that_fools_instead(monkeypatch):
    def fooling(fake: Tensor, real: Tensor) -> Tensor:
        return NON_SATURATING.generator(fake.mean(dim=1), lambda: real)

    monkeypatch.setattr(sgan, "mean_matching", fooling)
    method, batch = method_of()
    with pytest.raises(AssertionError, match="term features"):
        assert_same_move(method, "generator", batch, lambda: expected_of_generator(method, batch))


def test_batches_without_labels_learn_from_labels_that_came_before():
    method, batch = method_of()
    terms_of(method, "discriminator", batch)
    other = Batch(dict(batch.items()) | {"label": torch.full((4,), -1)})
    first = terms_of(method, "discriminator", other)["supervised"]
    logits = method.discriminator(batch["x"][LABELLED : LABELLED + 1])
    assert float(first.detach()) == pytest.approx(
        -float(logits.detach().log_softmax(dim=1)[0, batch["label"][LABELLED]]), rel=1e-5
    )


@pytest.mark.parametrize("most_px", [0, 2])
def test_labelled_samples_alone_are_moved(monkeypatch, most_px):
    seen: list[Tensor] = []
    method, batch = method_of(labelled_shift_px=most_px, labelled_batch=16)
    forward = method.discriminator.forward
    monkeypatch.setattr(method.discriminator, "forward", lambda x: seen.append(x) or forward(x))
    terms_of(method, "discriminator", batch)
    labelled = next(x for x in seen if len(x) == 16)
    kept = [torch.equal(x, batch["x"][LABELLED]) for x in labelled]
    assert all(kept) == (most_px == 0)
    assert len({tuple(x.flatten().tolist()) for x in labelled}) > (1 if most_px else 0)
    assert any(torch.equal(x, batch["x"]) for x in seen if len(x) == 4), "the others stay where they are"


@pytest.mark.parametrize("most_px", [0, 2])
def test_real_and_made_samples_are_moved_alike(monkeypatch, most_px):
    seen: list[Tensor] = []
    method, batch = method_of(unlabelled_shift_px=most_px, labelled_batch=16)
    forward = method.discriminator.forward
    monkeypatch.setattr(method.discriminator, "forward", lambda x: seen.append(x) or forward(x))
    terms_of(method, "discriminator", batch)
    real, fake = (x for x in seen if len(x) == 4)
    with torch.no_grad():
        assert torch.equal(real, batch["x"]) == (most_px == 0)
        assert torch.equal(fake, made(method, batch)) == (most_px == 0)
    labelled = next(x for x in seen if len(x) == 16)
    assert all(torch.equal(x, batch["x"][LABELLED]) for x in labelled), "labelled ones have a shift of their own"


def test_without_any_label_yet_there_is_nothing_to_learn_from_labels():
    method, batch = method_of()
    none = Batch(dict(batch.items()) | {"label": torch.full((4,), -1)})
    terms = terms_of(method, "discriminator", none)
    assert float(terms["supervised"].detach()) == 0.0
    assert terms["unsupervised"].isfinite()


def test_a_run_gathers_every_label_and_learns_them():
    recipe = recipe_of(labelled_batch=8)
    engine = tiny_engine(recipe)
    tensors = tensors_of(recipe)
    figures = [engine.play(lambda: tensors) for _ in range(40)]
    assert isinstance(engine.method, SGAN)
    assert int(engine.method.memory.written) == 40
    assert float(figures[-1]["discriminator/supervised"]) < 0.3 * float(figures[0]["discriminator/supervised"])
    assert {"memory.samples", "memory.labels", "memory.written"} <= engine.method.state().keys()


def test_what_users_get_classifies_first_with_averaged_weights():
    method, batch = method_of()
    method.eval()
    assert list(method.deploys()) == ["generate", "classify"]
    generate, classify = method.deploys().values()
    x = FixedPicture(name="x", channels=3, height_px=32, width_px=32)
    assert (classify.task, classify.inputs) == ("encode", (x,))
    assert classify.outputs == (Vector(name="scores", size=CLASSES),)
    assert generate.inputs == (Latent(name="z", size=5, distribution="uniform"),), "the generator knows no classes"
    assert (generate.task, generate.outputs) == ("generate", (x,))
    scores = classify.module(batch["x"])
    torch.testing.assert_close(scores, method.discriminator(batch["x"]).softmax(dim=1))
    assert deployed_networks(method).keys() == {"generator", "discriminator"}


def test_noise_is_for_training_alone():
    method, batch = method_of(discriminator=ClassifierDiscriminatorConfig(widths=(8, 6)))
    classify = method.deploys()["classify"].module
    assert not torch.equal(classify(batch["x"]), classify(batch["x"]))
    method.eval()
    assert torch.equal(classify(batch["x"]), classify(batch["x"]))


def test_shifts_that_cannot_be_are_refused():
    with pytest.raises(ConfigurationError, match=r"--config\.labelled-shift-px is -1"):
        SGAN.Config(labelled_shift_px=-1)
    points = replace(tiny_recipe("sgan").domains, x="vector:2")
    with pytest.raises(ConfigurationError, match=r"--config\.labelled-shift-px 1 moves pictures"):
        tiny_method(replace(recipe_of(labelled_shift_px=1), domains=points))


def test_a_step_without_labelled_samples_is_refused():
    with pytest.raises(ConfigurationError, match=r"--config\.labelled-batch is 0"):
        SGAN.Config(labelled_batch=0)


def test_scores_are_log_z_of_real_and_of_made_samples():
    method, batch = method_of()
    method.eval()
    found = method.scores(batch)["discriminator"]
    (real,), (fake,) = found.real, found.fake
    torch.testing.assert_close(real.sigmoid(), 1 - probabilities(method, batch["x"])[:, -1])
    torch.testing.assert_close(fake.sigmoid(), 1 - probabilities(method, made(method, batch))[:, -1])


def test_defaults_are_the_published_ones():
    recipe = SGAN.recipe()
    config = recipe.config
    assert {(adam.learning_rate, adam.beta1) for adam in recipe.optimisers.values()} == {(3e-3, 0.5)}
    assert (recipe.batch_size, recipe.length.epochs, recipe.schedule.shape) == (100, 300, "constant")
    assert (config.discriminator.widths, config.generator.widths) == ((1000, 500, 250, 250, 250), (500, 500))
    assert (config.discriminator.norm, config.discriminator.input_noise, config.discriminator.noise) == (
        "weight",
        0.3,
        0.5,
    )
    assert (recipe.domains.labelled, recipe.domains.labels_a_class) == (True, 10)
    assert recipe.validation.best == "class_accuracy"
    assert 0.5 ** (recipe.batch_size / recipe.average_half_life_images) == pytest.approx(1 - 1e-4, abs=1e-6)
