"""Unrolling against a quadratic game whose steps are known in closed form."""

import pytest
import torch
from torch import nn

from translate.errors import ConfigurationError
from translate.losses.adversarial import OBJECTIVES
from translate.losses.penalty import zero_centred_penalty
from translate.losses.unrolled import unrolled

RATE, BEND = 0.1, 0.7
OBJECTIVE = OBJECTIVES["non-saturating"]


class Slope(nn.Module):
    """D(x) = w x, a discriminator of one number."""

    def __init__(self, weight=0.3):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))

    def forward(self, samples):
        return self.weight * samples


def game(fake, real=2.0):
    """The discriminator's loss: w (fake - real) + BEND w^2 / 2, whose steps are w <- (1 - r b) w + r (real - fake)."""

    def loss(judge):
        one = torch.ones((), dtype=torch.float64)
        return judge(fake) - judge(real * one) + 0.5 * BEND * judge(one).square()

    return loss


def after(steps, fake, weight=0.3, real=2.0):
    kept = (1 - RATE * BEND) ** steps
    return kept * weight + (real - fake) * (1 - kept) / BEND


def derivative_of_the_generators_loss(fake, steps):
    """-D(fake) after the steps: -(dw/dfake fake + w)."""
    kept = (1 - RATE * BEND) ** steps
    return (1 - kept) / BEND * fake - after(steps, fake)


@pytest.mark.parametrize("steps", [0, 1, 2, 10])
def test_scores_and_slope_of_the_quadratic_game(steps):
    fake = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    judge = unrolled(Slope(), game(fake), steps=steps, learning_rate=RATE)
    assert judge(torch.tensor(3.0)).item() == pytest.approx(3 * after(steps, 0.5))
    (-judge(fake)).backward()
    assert fake.grad.item() == pytest.approx(derivative_of_the_generators_loss(0.5, steps))


@pytest.mark.parametrize("steps", [1, 10])
def test_control_without_the_graph_of_the_steps_the_slope_is_another(steps):
    fake = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    judge = unrolled(Slope(), game(fake.detach()), steps=steps, learning_rate=RATE)
    (-judge(fake)).backward()
    assert fake.grad.item() == pytest.approx(-after(steps, 0.5))  # the answer's answer is missing
    assert fake.grad.item() != pytest.approx(derivative_of_the_generators_loss(0.5, steps), rel=0.05)


def test_many_steps_reach_the_discriminators_best_answer():
    judge = unrolled(Slope(), game(torch.tensor(0.5, dtype=torch.float64)), steps=300, learning_rate=RATE)
    assert judge(torch.tensor(1.0)).item() == pytest.approx((2.0 - 0.5) / BEND)


def test_no_step_is_the_discriminator_itself():
    discriminator = Slope()
    assert unrolled(discriminator, game(torch.zeros(())), steps=0, learning_rate=RATE) is discriminator


def network(norm):
    torch.manual_seed(0)
    middle = {"none": nn.Identity(), "batch": nn.BatchNorm1d(8)}.get(norm)
    layers = nn.Sequential(nn.Linear(2, 8), middle or nn.Identity(), nn.Softplus(), nn.Linear(8, 1), nn.Flatten(0))
    if norm == "spectral":
        nn.utils.parametrizations.spectral_norm(layers[0])
    return layers.double()


def points(seed):
    return torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def generators_loss(discriminator, fake, real, steps=3):
    def loss(judge):
        return OBJECTIVE.discriminator(judge(real), judge(fake))

    judge = unrolled(discriminator, loss, steps=steps, learning_rate=0.3)
    return OBJECTIVE.generator(judge(fake), lambda: judge(real))


@pytest.mark.parametrize("norm", ["none", "batch", "spectral"])
def test_gradient_matches_finite_differences(norm):
    discriminator = network(norm)
    if norm == "spectral":
        discriminator.eval()  # its power iteration would move from pass to pass
    assert torch.autograd.gradcheck(
        lambda fake: generators_loss(discriminator, fake, points(1)), points(2).requires_grad_()
    )


def test_steps_are_those_of_torchs_sgd():
    discriminator, fake, real = network("none"), points(1), points(2)
    judge = unrolled(discriminator, lambda d: OBJECTIVE.discriminator(d(real), d(fake)), steps=3, learning_rate=0.3)
    scores = judge(real)
    sgd = torch.optim.SGD(discriminator.parameters(), lr=0.3)
    for _ in range(3):
        sgd.zero_grad()
        OBJECTIVE.discriminator(discriminator(real), discriminator(fake)).backward()
        sgd.step()
    torch.testing.assert_close(scores, discriminator(real))


@pytest.mark.parametrize("norm", ["none", "batch", "spectral"])
@pytest.mark.parametrize("frozen", [True, False])
def test_the_discriminator_is_left_as_it_was(norm, frozen):
    """Weights, running statistics, gradients, flags: also where the engine has frozen it for the generator's turn."""
    discriminator = network(norm).requires_grad_(not frozen)
    before = {name: tensor.clone() for name, tensor in discriminator.state_dict().items()}
    fake = points(1).requires_grad_()
    generators_loss(discriminator, fake, points(2)).backward()
    assert fake.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in discriminator.parameters())
    assert all(parameter.requires_grad is not frozen for parameter in discriminator.parameters())
    for name, tensor in discriminator.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_control_a_plain_pass_in_training_mode_moves_the_running_statistics():
    discriminator = network("batch")
    before = discriminator[1].running_mean.clone()
    discriminator(points(1))
    assert not torch.equal(before, discriminator[1].running_mean)


class Conditional(nn.Module):
    """Projects the label, in the manner of cGANs."""

    def __init__(self):
        super().__init__()
        self.score = nn.Linear(2, 1)
        self.label = nn.Embedding(3, 2)

    def forward(self, samples, label):
        return self.score(samples).squeeze(1) + (self.label(label) * samples).sum(1)


def test_a_conditional_discriminator_with_a_penalty():
    torch.manual_seed(0)
    discriminator, label = Conditional().double(), torch.tensor([0, 1, 2, 0, 1, 2])
    fake, real = points(1).requires_grad_(), points(2)

    def loss(judge):
        adversarial = OBJECTIVE.discriminator(judge(real, label), judge(fake, label))
        return adversarial + 0.1 * zero_centred_penalty(lambda x: judge(x, label), real)

    def generators(fake):
        judge = unrolled(discriminator, loss, steps=2, learning_rate=0.3)
        return OBJECTIVE.generator(judge(fake, label), lambda: judge(real, label))

    generators(fake).backward()
    assert fake.grad.isfinite().all()
    assert fake.grad.abs().sum() > 0


def test_a_bias_that_the_loss_does_not_see_stays():
    critic = nn.Linear(2, 1).double()
    judge = unrolled(critic, lambda d: (d(points(1)) - d(points(2))).mean(), steps=2, learning_rate=0.1)
    torch.testing.assert_close(judge(torch.zeros(1, 2, dtype=torch.float64)).flatten(), critic.bias)
    unseen = nn.ModuleDict({"used": Slope(), "unused": Slope()})
    unseen.forward = lambda samples: unseen["used"](samples)
    judge = unrolled(unseen, lambda d: d(torch.ones(())), steps=1, learning_rate=0.1)
    assert judge(torch.ones(())).item() == pytest.approx(0.3 - 0.1)


@pytest.mark.slow
def test_a_compiled_discriminator_refuses_rather_than_teach_something_else():
    discriminator = network("none")
    discriminator.compile(backend="aot_eager")
    with pytest.raises(RuntimeError, match="double backward"):
        generators_loss(discriminator, points(1).requires_grad_(), points(2)).backward()


@pytest.mark.parametrize(("steps", "rate"), [(-1, 0.1), (2, 0.0), (2, -1.0)])
def test_what_cannot_be_unrolled_is_refused(steps, rate):
    with pytest.raises(ConfigurationError, match=r"--config\.game\.unrolled-steps is"):
        unrolled(Slope(), game(torch.zeros(())), steps=steps, learning_rate=rate)
