"""Advice in a finding names options that the run's own recipe takes; and an examination of runs with labels."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny import CPU, RECIPES, TRANSLATING, card_of, tiny_method, tiny_recipe

from pipelines.commands.train import parse
from pipelines.recipes import recipe_named
from pipelines.trained import Trained
from pipelines.training.generation.diagnose import examine
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.generation.mode_coverage import told_of_modes
from pipelines.training.offered import offered
from pipelines.training.translation.diagnose import check_curves
from translate.card import Picture
from translate.checkpoint import NETWORKS
from translate.errors import ConfigurationError
from translate.game import FAKE, REAL
from translate.metrics.health import Sample, examine_pictures
from translate.metrics.health_balance import Probabilities, check_game, check_probabilities
from translate.metrics.health_discriminator import DiscriminatorScores, check_adversarial_losses, check_discriminator
from translate.metrics.health_samples import check_class_diversity, check_diversity_history, check_samples
from translate.metrics.modes import GaussianModes
from translate.metrics.remedies import Remedies

FINDINGS_OF_SAMPLES = 8
FINDINGS_OF_PICTURES = {"identity_collapse", "low_diversity", "colour_inversion", "checkerboard"}


def game(real, fake):
    return DiscriminatorScores(
        discriminator="discriminator", held_out_real=np.full(100, real), fake=np.full(100, fake), training_real=None
    )


def of_samples(remedies):
    """Every finding about a generator from noise."""
    real, alike, labels = torch.randn(128, 2), torch.zeros(128, 2), torch.arange(128) % 2
    grid = GaussianModes.grid25()
    lost, all_there = grid.coverage(grid.sample(100, 0)[:1].expand(100, 2)), grid.coverage(grid.sample(1000, 0))
    yield from check_samples(alike, real, remedies=remedies)
    yield from check_class_diversity(alike, labels, real, labels, remedies=remedies)
    yield from check_diversity_history(np.array([0.9, 0.2]), remedies=remedies)
    yield from check_game(game(1.0, 0.0), remedies=remedies)
    yield from check_game(game(0.0, 1.0), remedies=remedies)
    for last in ((0.999, 0.001), (0.97, 0.95)):
        real_course, fake_course = (np.full(100, value) for value in last)
        course = Probabilities(discriminator="discriminator", real=real_course, fake=fake_course)
        yield from check_probabilities(course, remedies=remedies)
    yield told_of_modes(lost, all_there, remedies)


def pictures(count=32, side_px=32):
    """Smooth pictures, each other."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=side_px, mode="bilinear")


def of_pictures(remedies, generator, discriminator):
    real = pictures()
    grid = torch.zeros(32, 32)
    grid[::2, ::2] = 0.3
    wrong = (real[:1].expand_as(real), -real, (real + grid).clamp(-1, 1))
    copied = Sample(inputs=real, outputs=real, targets=real.roll(1, 0), paired=True)
    broken = [Sample(inputs=real.roll(1, 0), outputs=outputs, targets=real, paired=True) for outputs in wrong]
    for sample in (copied, *broken):
        yield from examine_pictures(sample, generator=generator, remedies=remedies)
    if discriminator:
        yield from check_discriminator(game(1.0, 0.0), remedies=remedies)
        falling, rising = np.geomspace(1, 1e-6, 100), np.linspace(1, 5, 100)
        yield from check_adversarial_losses(discriminator, falling, rising, remedies=remedies)


def as_words(recipe, advice):
    """The options of an advice as arguments, each with a value of its own or one that it may have."""
    words = {}
    for name, value in re.findall(r"--([a-z0-9.*_-]*[a-z0-9*_])(?: ([a-z0-9+.]*[a-z0-9]))?", advice):
        if name == "config.discriminator.spectral-norm":
            words[name] = []
        elif name == "augmentation.*":
            words["augmentation.crop-px"] = ["64"]
        elif name == "optimisers.*.learning-rate":
            words |= {f"optimisers.{network}.learning-rate": ["0.1"] for network in recipe.optimisers}
        else:
            words.setdefault(name, [value or "1"])
    return [word for name, values in words.items() for word in (f"--{name}", *values)]


def remedy_texts(name, remedies):
    recipe = recipe_named(name)
    if name not in TRANSLATING:
        found = list(of_samples(remedies))
        assert len(found) == FINDINGS_OF_SAMPLES
        # A method without a game has no scores to judge: none of these is found of it.
        plays = "discriminator" in recipe.optimisers
        return [finding.remedy for finding in found if plays or "ator.learning-rate" not in finding.remedy]
    generator = next(network for network in recipe.optimisers if network.startswith("generator"))
    discriminator = next((network for network in recipe.optimisers if network.startswith("discriminator")), "")
    found = list(of_pictures(remedies, generator, discriminator))
    assert {finding.code for finding in found} >= FINDINGS_OF_PICTURES
    texts = [finding.remedy for finding in found]
    return [text.replace("optimisers.discriminator.", f"optimisers.{discriminator}.") for text in texts]


def parse_all(name, remedies):
    recipe = recipe_named(name)
    for text in set(remedy_texts(name, remedies)):
        parse(name, as_words(recipe, text))


@pytest.mark.parametrize("name", RECIPES)
def test_every_option_in_an_advice_is_one_of_the_recipe(name):
    parse_all(name, offered(recipe_named(name)))


@pytest.mark.parametrize("name", ["vae", "sgan", "dcgan", "acgan", "pix2pix", "lama", "compact", "context_encoder"])
def test_the_whole_line_of_remedies_is_more_than_each_recipe_takes(name):
    """The control: advice that nobody cut to the recipe is refused."""
    with pytest.raises((SystemExit, ConfigurationError)):
        parse_all(name, Remedies())


def test_what_a_recipe_has_already_is_no_advice():
    assert "penalty" not in str(offered(recipe_named("r3gan")).collapse)
    assert "penalty" in str(offered(recipe_named("dcgan")).collapse)
    assert "norm none" in str(offered(recipe_named("dcgan")).collapse[0])


# Examinations


def trained(recipe):
    method = tiny_method(recipe).eval()
    snapshot = SimpleNamespace(tensors={NETWORKS: method.state()})
    cards = {name: card_of(deploy) for name, deploy in method.deploys().items()}
    return Trained(recipe=recipe, method=method, cards=cards, snapshot=snapshot, images=0)


def held(count, labels):
    stored = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return HeldOut(
        port=Picture(name="x", channels=3),
        stored=stored,
        labels=torch.arange(count) % 3,
        keys=tuple(map(str, range(count))),
        learns_classes=labels,
    )


def examined(name, *, made=None, course=None):
    recipe = tiny_recipe(name)
    real = held(96, recipe.domains.labelled)
    alike = torch.zeros(96, 3, 32, 32) if made is None else made
    deploy = next(name for name, one in tiny_method(recipe).deploys().items() if one.task == "generate")
    return list(examine(trained(recipe), deploy, alike, real, real, course or {}, CPU))


@pytest.mark.parametrize("name", ["infogan", "vae"])
def test_labels_of_a_data_set_are_no_classes_of_a_generator_that_never_learnt_them(name):
    """InfoGAN has classes of its own: they are not the data's."""
    messages = [finding.message for finding in examined(name)]
    assert any("collapsed" in message for message in messages)
    assert not any("Collapsed classes" in message for message in messages)


def test_classes_that_were_learnt_are_told_by_their_names():
    messages = [finding.message for finding in examined("cgan")]
    assert any("Collapsed classes: dark, middle, light." in message for message in messages)


@pytest.mark.parametrize(("name", "offers"), [("cgan", True), ("vae", False), ("sgan", False)])
def test_an_examination_advises_options_of_the_games_that_have_them(name, offers):
    gone = {REAL: [0.999] * 100, FAKE: [0.001] * 100}
    remedies = [finding.remedy for finding in examined(name, course=gone) if finding.remedy]
    assert len(remedies) >= 2
    assert any("--config.game" in remedy for remedy in remedies) == offers


def test_curves_of_a_translation_are_told_with_what_its_recipe_has():
    falling, rising = list(np.geomspace(1, 1e-6, 100)), list(np.linspace(1, 5, 100))
    curves = {"discriminator/adversarial": falling, "generator/adversarial": rising}
    (finding,) = check_curves(curves, offered(recipe_named("lama-small")))
    assert "spectral" not in finding.remedy  # it has that already
    (finding,) = check_curves(curves, offered(recipe_named("pix2pix")))
    assert "--config.discriminator.spectral-norm" in finding.remedy


@pytest.mark.parametrize(
    ("name", "option"), [("dcgan", "--config.game.penalty.kind"), ("pix2pix", "--config.penalty.kind")]
)
def test_a_refused_penalty_is_named_as_it_was_typed(name, option, capsys):
    with pytest.raises((SystemExit, ConfigurationError)) as refusal:
        parse(name, [option, "r1"])
    told = capsys.readouterr()
    assert f"{option} r1 takes" in " ".join(f"{refusal.value} {told.out} {told.err}".replace("│", " ").split())
