"""The auto-encoder's terms and gradients against the formula, and the distribution that its codes are drawn from."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from tiny import assert_same_move, batch_of, drawing, tiny_engine, tiny_method, tiny_recipe
from torch import Tensor, nn
from torch.nn import functional

from pipelines.methods.autoencoder import AutoEncoder
from translate.checkpoint import restore_engine, snapshot_of
from translate.data.domains import OneDomain
from translate.errors import ConfigurationError
from translate.method import Batch
from translate.networks.measured_codes import FromCodes, NormalCodes

LATENT = 3


def narrow(**config: Any) -> Any:
    recipe = tiny_recipe("autoencoder")
    plain = {
        "encoder": replace(recipe.config.encoder, widths=(8,)),
        "decoder": replace(recipe.config.decoder, widths=(8,)),
        "latent": LATENT,
    }
    return replace(recipe, config=replace(recipe.config, **(plain | config)))


def method_of(**config: Any) -> tuple[AutoEncoder, Batch]:
    recipe = narrow(**config)
    method = tiny_method(recipe)
    assert isinstance(method, AutoEncoder)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def squared(made: Tensor, x: Tensor) -> Tensor:
    return functional.mse_loss(made, x)


def absolute(made: Tensor, x: Tensor) -> Tensor:
    return functional.l1_loss(made, x)


def cross_entropy(made: Tensor, x: Tensor) -> Tensor:
    """Of white, from the picture that users get: its share of white is (made + 1) / 2."""
    return functional.binary_cross_entropy((made + 1) / 2, (x + 1) / 2)


DISTANCES = {"l2": squared, "l1": absolute, "bernoulli": cross_entropy}


@pytest.mark.parametrize("name", DISTANCES)
def test_it_learns_the_distance_between_a_sample_and_what_comes_back(name):
    method, batch = method_of(reconstruction=name)
    x = batch["x"]
    assert_same_move(
        method,
        "reconstruction",
        batch,
        lambda: {"reconstruction": DISTANCES[name](method.decoder(method.encoder(x)), x)},
    )


def test_control_another_distance_is_told_apart():
    method, batch = method_of(reconstruction="l1")
    x = batch["x"]
    with pytest.raises(AssertionError, match="term reconstruction"):
        assert_same_move(
            method,
            "reconstruction",
            batch,
            lambda: {"reconstruction": squared(method.decoder(method.encoder(x)), x)},
        )


def test_reconstruct_and_encode_are_the_networks_own():
    method, batch = method_of()
    deploys, x = method.eval().deploys(), batch["x"]
    codes = deploys["encode"].module(x)
    assert codes.shape == (2, LATENT)
    assert torch.equal(deploys["reconstruct"].module(x), method.decoder(codes))


def test_the_recipe_has_the_papers_networks():
    config = AutoEncoder.recipe().config
    method = AutoEncoder(config, replace(AutoEncoder.recipe(), domains=OneDomain(x="grey")).spec())
    widths = [(part.in_features, part.out_features) for part in method.modules() if isinstance(part, nn.Linear)]
    there = [784, 1000, 500, 250, 30]
    back = there[::-1]
    assert widths == [*pairwise(there), *pairwise(back)]


def test_what_it_cannot_learn_from_is_refused():
    with pytest.raises(ConfigurationError, match="labelled"):
        tiny_method(replace(narrow(), domains=OneDomain(x="rgb", labelled=True, classes=("a", "b"))))
    with pytest.raises(ConfigurationError, match="points"):
        tiny_method(replace(narrow(reconstruction="bernoulli"), domains=OneDomain(x="vector:2")))
    for wrong in ({"latent": 0}, {"reconstruction": "l3"}):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            narrow(**wrong)


# The distribution of the codes


def correlated(count: int) -> Tensor:
    mixing = torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [-1.0, 0.3, 0.1]])
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, LATENT, generator=generator) @ mixing.T + torch.tensor([5.0, -1.0, 0.0])


def observed(parts: tuple[Tensor, ...]) -> NormalCodes:
    codes = NormalCodes(size=LATENT)
    for part in parts:
        codes.observe(part)
    return codes


def test_moments_over_batches_are_those_of_all_codes_together():
    every = correlated(800)
    codes = observed(every.split(10))
    torch.testing.assert_close(codes.mean, every.mean(dim=0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(codes.covariance, torch.cov(every.T, correction=0), rtol=1e-4, atol=1e-4)


def test_control_a_mean_of_the_batches_covariances_is_too_small():
    parts = correlated(800).sort(dim=0).values.split(10)
    alone = torch.stack([torch.cov(part.T, correction=0) for part in parts]).mean(dim=0)
    assert observed(parts).covariance[0, 0] > 3 * alone[0, 0]


def test_old_batches_are_forgotten():
    codes = observed((*correlated(1000).split(10), *(correlated(6000) + 100.0).split(10)))
    torch.testing.assert_close(codes.mean, torch.tensor([105.0, 99.0, 100.0]), rtol=0, atol=1.0)


def test_draws_have_the_mean_and_the_covariance_of_the_codes():
    every = correlated(20_000)
    drawn = observed((every,))(torch.randn(50_000, LATENT, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(drawn.mean(dim=0), every.mean(dim=0), rtol=0, atol=0.05)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(every.T), rtol=0.05, atol=0.05)


def test_codes_that_never_vary_in_a_direction_do_no_harm():
    flat = torch.cat([correlated(50)[:, :2], torch.zeros(50, 1)], dim=1)
    drawn = observed((flat,))(torch.randn(100, LATENT))
    assert drawn.isfinite().all()
    assert drawn[:, 2].abs().max() < 0.05


def test_codes_are_watched_in_training_alone():
    engine = tiny_engine(narrow())
    engine.play(drawing(engine.recipe))
    watched = engine.method.encoder.codes
    assert int(watched.batches) == 1
    assert not torch.equal(watched.mean, torch.zeros(LATENT))
    engine.method.eval()
    engine.method.encoder(batch_of(engine.recipe)["x"])
    assert int(watched.batches) == 1


def test_what_is_known_of_the_codes_is_saved_and_averaged():
    recipe = replace(narrow(), average_half_life_images=4.0)
    engine = tiny_engine(recipe)
    for _ in range(5):
        engine.play(drawing(recipe))
    snapshot = snapshot_of(engine, {})
    assert snapshot is not None
    again = tiny_engine(recipe, seed=9)
    restore_engine(again, snapshot)
    z = torch.randn(4, LATENT)
    for one, other in ((engine.method, again.method), (engine.averaged.method, again.averaged.method)):
        made = one.eval().deploys()["generate"].module(z)
        assert torch.equal(made, other.eval().deploys()["generate"].module(z))
        untouched = FromCodes(codes=NormalCodes(size=LATENT), decoder=one.decoder)(z)
        assert not torch.allclose(made, untouched)
