"""GAN's terms against the paper's formulas, and its theory on densities that are known, learnt by the real engine."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from tiny import CPU, assert_same_move, batch_of, tiny_method, tiny_recipe
from torch import Tensor, nn
from torch.nn import functional

from pipelines.methods.gan import GAN
from translate.data.domains import OneDomain
from translate.engine import Engine
from translate.game import GameConfig
from translate.losses.adversarial import MINIMAX
from translate.method import Batch
from translate.networks.dense import Maxout
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise
from translate.optimisers import SGD, Adam
from translate.recipe import Length, Recipe
from translate.schedule import Schedule


def method_of(**game: Any) -> tuple[GAN, Batch, Tensor]:
    """The paper's networks without dropout, which would draw anew for every pass; a batch; and its noise."""
    recipe = tiny_recipe("gan")
    config = replace(
        recipe.config,
        noise=Noise(size=4, distribution="uniform"),
        generator=replace(recipe.config.generator, widths=(8,)),
        discriminator=replace(recipe.config.discriminator, widths=(6, 6), input_dropout=0.0, dropout=0.0),
        game=GameConfig(**game),
    )
    recipe = replace(recipe, config=config)
    method = tiny_method(recipe)
    assert isinstance(method, GAN)
    batch = Batch(batch_of(recipe), frozenset(method.networks().values()))
    noise = torch.rand(2, 4, generator=torch.Generator().manual_seed(3)) * 2 - 1
    return method, batch, batch.share("z", (), lambda: noise)


def of_real(method: GAN, samples: Tensor) -> Tensor:
    return torch.sigmoid(method.discriminator(samples))


# The paper's formulas


@pytest.mark.parametrize("objective", ["minimax", "non-saturating"])
def test_the_discriminator_climbs_the_value(objective):
    """It maximises E log D(x) + E log(1 - D(G(z))), equation 1."""
    method, batch, z = method_of(objective=objective)

    def expected():
        real, fake = of_real(method, batch["x"]), of_real(method, method.generator(z).detach())
        return {"adversarial": -(real.log().mean() + (1 - fake).log().mean())}

    assert_same_move(method, "discriminator", batch, expected)


def saturating(fake: Tensor) -> Tensor:
    """E log(1 - D(G(z))), equation 1."""
    return (1 - fake).log().mean()


def non_saturating(fake: Tensor) -> Tensor:
    """-E log D(G(z)): it maximises log D(G(z)) instead, section 3."""
    return -fake.log().mean()


SIDES = {"minimax": saturating, "non-saturating": non_saturating}


@pytest.mark.parametrize("objective", SIDES)
def test_the_generators_side(objective):
    method, batch, z = method_of(objective=objective)
    assert_same_move(
        method, "generator", batch, lambda: {"adversarial": SIDES[objective](of_real(method, method.generator(z)))}
    )


def test_control_one_side_is_not_the_other():
    method, batch, z = method_of(objective="minimax")
    with pytest.raises(AssertionError, match="term adversarial"):
        assert_same_move(
            method, "generator", batch, lambda: {"adversarial": non_saturating(of_real(method, method.generator(z)))}
        )


def test_the_discriminator_moves_k_times_on_batches_of_its_own():
    recipe = tiny_recipe("gan")
    recipe = replace(recipe, config=replace(recipe.config, game=GameConfig(discriminator_steps=3)))
    engine = Engine(tiny_method(recipe), recipe, CPU)
    draws = iter(range(100))
    moves = {name: counted(engine, name) for name in ("discriminator", "generator")}
    for _ in range(2):
        engine.play(lambda: batch_of(recipe, next(draws)))
    assert {name: len(calls) for name, calls in moves.items()} == {"discriminator": 6, "generator": 2}
    assert next(draws) == 6, "three batches an iteration"


def counted(engine: Engine, name: str) -> list[None]:
    calls: list[None] = []
    engine.optimisers[name].register_step_post_hook(lambda *_: calls.append(None))
    return calls


def test_the_networks_are_the_papers():
    """MNIST: 1200 and 1200 rectifiers; 240 and 240 maxout units of 5 pieces; dropout of 0.2 and 0.5 in D alone."""
    recipe = GAN.recipe()
    method = GAN(recipe.config, replace(recipe, domains=OneDomain(x="grey")).spec())
    linear = [(part.in_features, part.out_features) for part in method.generator.modules() if is_linear(part)]
    assert linear == [(100, 1200), (1200, 1200), (1200, 784)]
    assert sum(isinstance(part, nn.ReLU) for part in method.generator.modules()) == 2
    units = [part for part in method.discriminator.modules() if isinstance(part, Maxout)]
    assert [(unit.pieces, unit.linear.out_features // unit.pieces) for unit in units] == [(5, 240), (5, 240)]
    drops = [part.p for part in method.discriminator.modules() if isinstance(part, nn.Dropout)]
    assert drops == [0.2, 0.5, 0.5]
    assert not any(isinstance(part, nn.Dropout) for part in method.generator.modules())
    assert recipe.config.noise == Noise(size=100, distribution="uniform")
    assert recipe.config.game == GameConfig(objective="non-saturating", discriminator_steps=1)


def is_linear(part: nn.Module) -> bool:
    return isinstance(part, nn.Linear)


# Proposition 1: D learns p_data / (p_data + p_g)

DATA, MADE = norm(0.0, 1.0), norm(1.5, 0.7)
BAR = 0.02
GRID = np.linspace(-5.0, 6.0, 441)


def trained(iterations: int = 500, **game: Any) -> Engine:
    """A generator x = 0.7 z + 1.5 that stands still (its rate is 0), and a discriminator that learns."""
    recipe = Recipe(
        method="gan",
        config=GAN.Config(
            noise=Noise(size=1),
            generator=LatentGeneratorConfig(kind="mlp", widths=(), norm="none"),
            discriminator=SampleDiscriminatorConfig(kind="mlp", widths=(32, 32), norm="none"),
            game=GameConfig(**game),
        ),
        optimisers={"generator": SGD(learning_rate=0.0), "discriminator": Adam(learning_rate=1e-2)},
        length=Length(images=512 * max(1, iterations)),
        domains=OneDomain(x="vector:1"),
        batch_size=512,
        schedule=Schedule(shape="cosine", hold=0.0),
        precision="fp32",
    )
    torch.manual_seed(0)
    engine = Engine(GAN(recipe.config, recipe.spec()), recipe, CPU)
    weight, bias = engine.method.generator.parameters()
    weight.data.fill_(MADE.std())
    bias.data.fill_(MADE.mean())
    for _ in range(iterations):
        engine.play(lambda: {"x": torch.randn(512, 1)})
    assert (float(weight), float(bias)) == pytest.approx((0.7, 1.5)), "the generator stood still"
    return engine


@torch.no_grad()
def judged(engine: Engine) -> np.ndarray:
    return engine.method.discriminator(torch.from_numpy(GRID).float()[:, None]).double().sigmoid().numpy()


def error(engine: Engine, best: np.ndarray) -> float:
    """E |D(x) - D*(x)|, half over real and half over made samples."""
    seen = 0.5 * (DATA.pdf(GRID) + MADE.pdf(GRID))
    return float(np.trapezoid(seen * np.abs(judged(engine) - best), GRID))


def best(real_target: float = 1.0) -> np.ndarray:
    return real_target * DATA.pdf(GRID) / (DATA.pdf(GRID) + MADE.pdf(GRID))


@pytest.mark.parametrize("objective", ["minimax", "non-saturating"])
def test_the_discriminator_learns_the_share_of_the_data(objective):
    engine = trained(objective=objective)
    assert error(engine, best()) < BAR
    reached, most = value(judged(engine)), value(best())
    assert most - 0.01 < reached <= most


def value(judgement: np.ndarray) -> float:
    """V(D, G) of equation 1."""
    inner = DATA.pdf(GRID) * np.log(judgement) + MADE.pdf(GRID) * np.log(1 - judgement)
    return float(np.trapezoid(inner, GRID))


def test_control_another_game_has_another_answer():
    """With real samples at 0.7 the best answer is 0.7 p_data / (p_data + p_g): it learns that, and misses the bar."""
    engine = trained(real_target=0.7)
    assert error(engine, best(0.7)) < BAR
    assert error(engine, best()) > 4 * BAR


def test_control_an_untrained_discriminator_misses_the_bar():
    assert error(trained(iterations=0), best()) > 4 * BAR


# Theorem 1: V(D*, G) = -log 4 + 2 JSD(p_data || p_g)

NEARER = [(3.0, 0.5), (1.5, 0.7), (1.0, 1.0), (0.3, 1.0), (0.05, 1.0), (0.0, 1.0)]


def value_of_our_loss(made: Any) -> float:
    """V at the best discriminator, from the objective's own loss of scores at many quantiles."""
    shares = (np.arange(200_000) + 0.5) / 200_000

    def log_odds(x: np.ndarray) -> Tensor:
        return torch.from_numpy(DATA.logpdf(x) - made.logpdf(x))

    return -float(MINIMAX.discriminator(log_odds(DATA.ppf(shares)), log_odds(made.ppf(shares))))


def divergence(made: Any) -> float:
    """JSD in nats: the mean of both KL to the mixture, by quadrature."""

    def kl_to_mixture(one: Any, x: float) -> float:
        p = one.pdf(x)
        return p * math.log(2 * p / (DATA.pdf(x) + made.pdf(x))) if p > 0 else 0.0

    return 0.5 * sum(quad(lambda x, one=one: kl_to_mixture(one, x), -12, 12, points=(0, 3))[0] for one in (DATA, made))


@pytest.mark.parametrize(("mean", "std"), NEARER)
def test_the_value_is_that_of_theorem_1(mean, std):
    made = norm(mean, std)
    assert value_of_our_loss(made) == pytest.approx(-math.log(4) + 2 * divergence(made), abs=2e-4)


def test_the_value_tends_to_minus_log_4():
    values = [value_of_our_loss(norm(mean, std)) for mean, std in NEARER]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(-math.log(4), abs=1e-9)
    assert values[0] > -math.log(4) + 1.0


def test_minimax_descends_the_divergence_at_the_best_discriminator():
    """Theorem 1 again: with D at D*, the gradient of the generator's side along a shift of p_g is that of 2 JSD."""
    mean, step = 1.0, 1e-3
    shares = torch.from_numpy((np.arange(200_000) + 0.5) / 200_000)
    shift = torch.tensor(mean, dtype=torch.float64, requires_grad=True)
    made = torch.from_numpy(norm.ppf(shares.numpy())) + shift
    # log D* / (1 - D*) of N(0, 1) against N(1, 1), which stands still
    scores = (mean**2 - 2 * mean * made) / 2
    (slope,) = torch.autograd.grad(MINIMAX.generator(scores, lambda: scores), shift)
    truth = 2 * (divergence(norm(mean + step, 1.0)) - divergence(norm(mean - step, 1.0))) / (2 * step)
    assert float(slope) == pytest.approx(truth, rel=1e-3)
    (other,) = torch.autograd.grad(
        functional.softplus(-(mean**2 - 2 * mean * (made.detach() + shift)) / 2).mean(), shift
    )
    assert float(other) != pytest.approx(truth, rel=0.05), "the non-saturating side has another slope"
