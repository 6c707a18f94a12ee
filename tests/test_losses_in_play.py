"""The remedies on the real engine: several discriminator steps, shared fakes, seen samples, unrolling, state."""

import pytest
import torch
from tiny import CPU, game_recipe
from torch import nn

from translate.engine import Engine
from translate.losses.adversarial import OBJECTIVES, smoothed
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.unrolled import unrolled
from translate.method import Deploy, Method, Turn
from translate.networks.seen import SeenConfig
from translate.optimisers import Adam
from translate.ramp import Ramp, constantly

OBJECTIVE = smoothed(OBJECTIVES["non-saturating"], real_target=0.9)
PENALTY, RAMP = GradientPenalty(kind="r1+r2", gamma=0.1), Ramp(start=10.0, end=1.0, until_fraction=0.5)
REPEATS = 3


class Remedied(Method):
    """A GAN of 1 x 8 x 8 pictures or of points with every remedy at once; `log` holds what each turn got."""

    def __init__(self, shape, *, steps=2, adaptive=False):
        super().__init__(None, game_recipe().spec())
        size = torch.Size(shape).numel()
        self.shape, self.steps, self.log = shape, steps, []
        self.generator = nn.Sequential(nn.Linear(2, size), nn.Unflatten(1, shape))
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 4), nn.Softplus(), nn.Linear(4, 1), nn.Flatten(0)
        )
        augment = ("colour", "translation", "cutout") if len(shape) == 3 else ()
        config = SeenConfig(noise=constantly(0.1), augment=augment, adaptive=adaptive, adaptive_images=64)
        self.seen = config.build(shape)

    def turns(self):
        return (
            Turn(name="discriminator", trains=(self.discriminator,), loss=self.discriminator_loss, repeats=REPEATS),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss),
            Turn(name="again", trains=(self.generator,), loss=self.generator_loss),
        )

    def deploys(self):
        return {"generate": Deploy(module=self.generator, networks=(self.generator,), task="", inputs=(), outputs=())}

    def made(self, turn, batch):
        z = batch.share("z", (), lambda: torch.randn(len(batch["x"]), 2))
        fake = batch.share("fake", self.generator, lambda: self.generator(z))
        self.log.append((turn, batch, z.clone(), fake.detach().clone(), fake.requires_grad))
        return fake

    def discriminator_loss(self, batch, progress):
        real, fake = self.seen(batch["x"], progress), self.seen(self.made("discriminator", batch), progress)
        scores = self.discriminator(real)
        self.seen.adapt(scores)
        penalty = PENALTY.terms(self.discriminator, real, fake, factor=RAMP.at(progress))
        return {"adversarial": OBJECTIVE.discriminator(scores, self.discriminator(fake)), **penalty}

    def generator_loss(self, batch, progress):
        real, fake = self.seen(batch["x"], progress), self.seen(self.made("generator", batch), progress)
        judge = unrolled(
            self.discriminator, lambda d: OBJECTIVE.discriminator(d(real), d(fake)), steps=self.steps, learning_rate=0.1
        )
        return {"adversarial": OBJECTIVE.generator(judge(fake), lambda: judge(real))}


SHAPES = [(2,), (1, 8, 8)]


def engine_of(shape, **changes):
    torch.manual_seed(0)
    recipe = game_recipe(optimisers={"generator": Adam(), "discriminator": Adam()})
    return Engine(Remedied(shape, **changes), recipe, CPU)


def drawing(shape):
    return lambda: {"x": torch.rand(8, *shape) * 2 - 1}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_iteration_with_every_remedy(shape):
    engine = engine_of(shape)
    figures = engine.play(drawing(shape))
    assert engine.draws == REPEATS
    assert all(value.isfinite() for value in figures.values())
    assert {"discriminator/r1", "discriminator/r2", "generator/adversarial"} <= figures.keys()
    log = engine.method.log
    assert [turn for turn, *_ in log] == ["discriminator"] * REPEATS + ["generator"] * 2
    assert [learning for *_, learning in log] == [False] * REPEATS + [True] * 2
    assert len({id(batch) for _, batch, *_ in log[:REPEATS]}) == REPEATS


@pytest.mark.parametrize("shape", SHAPES)
def test_the_generator_learns_from_the_last_fake_of_the_discriminator_and_the_noise_stays(shape):
    engine = engine_of(shape)
    engine.play(drawing(shape))
    *_, last, first, second = engine.method.log
    assert torch.equal(last[3], first[3])
    assert not torch.equal(first[3], second[3])  # made anew, since the generator had moved
    assert torch.equal(last[2], first[2])
    assert torch.equal(first[2], second[2])


@pytest.mark.parametrize("steps", [0, 3])
def test_the_generators_turn_moves_the_generator_alone(steps):
    engine = engine_of((2,), steps=steps)
    engine.turns = engine.turns[1:2]
    before = {name: tensor.clone() for name, tensor in engine.method.state().items()}
    engine.play(drawing((2,)))
    moved = {
        name.partition(".")[0]
        for name, tensor in engine.method.state().items()
        if not torch.equal(tensor, before[name])
    }
    assert moved == {"generator"}


def test_the_adaptive_probability_is_part_of_the_methods_state_and_no_network():
    engine = engine_of((1, 8, 8), adaptive=True)
    assert set(engine.method.networks()) == {"generator", "discriminator"}
    assert {"seen.probability", "seen._signs"} <= engine.method.state().keys()
    with torch.no_grad():
        engine.method.discriminator[3].bias.fill_(100.0)
    for _ in range(2):
        engine.play(drawing((1, 8, 8)))  # six calls, of which four move it by 32 of 64 pictures
    assert engine.method.state()["seen.probability"].item() == pytest.approx(0.5)
    resumed = engine_of((1, 8, 8), adaptive=True)
    resumed.method.load_state(engine.method.state())
    assert torch.equal(resumed.method.seen.probability, engine.method.seen.probability)


def test_a_bad_step_does_not_move_the_probability():
    engine = engine_of((1, 8, 8), adaptive=True)
    engine.turns = engine.turns[:1]
    engine.play(lambda: {"x": torch.full((8, 1, 8, 8), torch.nan)})
    assert engine.bad_steps.read()["discriminator"] > 0
    assert engine.method.seen._signs.tolist() == [0, 0, 0]
