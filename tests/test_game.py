"""What the generator's side of a game asks of the discriminator: no pass that nothing reads."""

import pytest
import torch
from torch import nn

from translate.game import GameConfig

POINTS = (2,)


class Counting(nn.Module):
    """A discriminator of points that counts how often its features are taken."""

    def __init__(self):
        super().__init__()
        self.body, self.head, self.passes = nn.Linear(2, 5), nn.Linear(5, 1), 0

    def features(self, samples, label=None):
        self.passes += 1
        return self.body(samples).relu()

    def score(self, features, label=None):
        return self.head(features).flatten()

    def forward(self, samples, label=None):
        return self.score(self.features(samples, label), label)


def terms(config, **heads):
    torch.manual_seed(0)
    discriminator, fake = Counting(), torch.randn(6, 2, requires_grad=True)
    game = config.build(POINTS)
    found = game.generator_terms(discriminator, torch.randn(6, 2), fake, _Begun(), **heads)
    sum(found.values()).backward()
    return discriminator.passes, found, fake.grad


class _Begun:
    fraction = 0.5


def head(features):
    return {"head": features.square().mean()}


@pytest.mark.parametrize(
    ("config", "heads", "passes"),
    [
        (GameConfig(), {}, 1),
        (GameConfig(), {"on_fake": head}, 1),
        (GameConfig(feature_matching_weight=1.0), {}, 2),
        (GameConfig(unrolled_steps=1), {}, 3),  # both sides for the step, then the fake by who has moved
        (GameConfig(unrolled_steps=1), {"on_fake": head}, 4),
        (GameConfig(unrolled_steps=1, feature_matching_weight=1.0), {}, 5),
    ],
)
def test_the_generators_side_takes_no_features_that_nothing_reads(config, heads, passes):
    counted, found, gradient = terms(config, **heads)
    assert counted == passes
    assert found.keys() == {"adversarial"} | ({"head"} if heads else set()) | (
        {"features"} if config.feature_matching_weight else set()
    )
    assert gradient.abs().sum() > 0


def test_a_head_reads_the_features_of_what_was_made():
    _, found, _ = terms(GameConfig(), on_fake=head)
    torch.manual_seed(0)
    discriminator, fake = Counting(), torch.randn(6, 2)
    assert float(found["head"].detach()) == pytest.approx(float(discriminator.features(fake).square().mean().detach()))
