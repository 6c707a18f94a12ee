"""The VAE's terms and gradients against the paper's formula; its evidence against a model whose evidence is known."""

import copy
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from scipy.stats import multivariate_normal
from tiny import assert_same_move, batch_of, terms_of, tiny_method, tiny_recipe
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from pipelines.methods.vae import VAE, evidence
from translate.data.domains import OneDomain
from translate.errors import ConfigurationError
from translate.losses.likelihoods import Likelihood
from translate.losses.variational import active_units
from translate.method import Batch, Progress
from translate.ramp import Ramp

LATENT = 3
GAUSSIAN = Likelihood(kind="gaussian", std=0.5)
LABELLED = OneDomain(x="rgb", labelled=True, classes=("dark", "middle", "light"))


def narrow(domains: OneDomain | None = None, **config: Any) -> Any:
    recipe = tiny_recipe("vae")
    plain = {
        "encoder": replace(recipe.config.encoder, widths=(8,)),
        "decoder": replace(recipe.config.decoder, widths=(8,)),
        "latent": LATENT,
    }
    recipe = replace(recipe, config=replace(recipe.config, **(plain | config)))
    return replace(recipe, domains=domains or recipe.domains)


def method_of(domains: OneDomain | None = None, **config: Any) -> tuple[VAE, Batch]:
    recipe = narrow(domains, **config)
    method = tiny_method(recipe)
    assert isinstance(method, VAE)
    batch = Batch(batch_of(recipe), frozenset(method.networks().values()))
    noise = torch.randn(2, LATENT, generator=torch.Generator().manual_seed(5))
    batch.share("noise", (), lambda: noise)
    return method, batch


def posterior(method: VAE, x: Tensor) -> Normal:
    mean, log_variance = method.encoder(x)
    return Normal(mean, (log_variance / 2).exp())


def of_white(made: Tensor) -> Bernoulli:
    return Bernoulli(probs=(made + 1) / 2, validate_args=False)


def around(made: Tensor) -> Normal:
    return Normal(made, 0.5)


def minus_bound(method: VAE, batch: Batch, likelihood: Any, seen: Any, beta: float = 1.0) -> dict[str, Tensor]:
    """Equation 10 with one draw: the KL in closed form, log p(x|z) summed over all numbers of a sample."""
    x = batch["x"]
    q = posterior(method, x)
    z = q.mean + q.stddev * batch.share("noise", (), lambda: torch.zeros(()))
    made = method.decoder(z, batch.get("label"))
    return {
        "reconstruction": -likelihood(made).log_prob(seen(x)).flatten(1).sum(dim=1).mean(),
        "kl": beta * kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1).mean(),
    }


def shares(x: Tensor) -> Tensor:
    return (x + 1) / 2


def plain(x: Tensor) -> Tensor:
    return x


LIKELIHOODS = {"bernoulli": (Likelihood(), of_white, shares), "gaussian": (GAUSSIAN, around, plain)}


@pytest.mark.parametrize("domains", [None, LABELLED], ids=["alone", "labelled"])
@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_it_minimises_minus_the_bound(kind, domains):
    likelihood, distribution, seen = LIKELIHOODS[kind]
    method, batch = method_of(domains, likelihood=likelihood)
    assert_same_move(method, "bound", batch, lambda: minus_bound(method, batch, distribution, seen))


def test_control_a_likelihood_that_is_a_mean_over_the_numbers_is_told_apart():
    method, batch = method_of()

    def mean_over_numbers():
        right = minus_bound(method, batch, of_white, shares)
        return {**right, "reconstruction": right["reconstruction"] / batch["x"][0].numel()}

    with pytest.raises(AssertionError, match="term reconstruction"):
        assert_same_move(method, "bound", batch, mean_over_numbers)


@pytest.mark.parametrize(("fraction", "beta"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.9, 1.0)])
def test_annealing_multiplies_the_kl(fraction, beta):
    method, batch = method_of(kl_weight=Ramp(start=0.0, end=1.0, until_fraction=0.5, shape="linear"))
    terms = terms_of(method, "bound", batch, Progress(images=int(100 * fraction), total_images=100))
    expected = minus_bound(method, batch, of_white, shares)
    torch.testing.assert_close(terms["kl"], beta * expected["kl"])
    torch.testing.assert_close(terms["reconstruction"], expected["reconstruction"], rtol=1e-4, atol=1e-3)


def test_free_nats_are_free():
    """sum_j max(free, E KL_j), Kingma et al. 2016."""
    free = 0.2
    method, batch = method_of(free_nats=free)
    each = kl_divergence(posterior(method, batch["x"]), Normal(0.0, 1.0)).mean(dim=0).detach()
    assert float(each.min()) < free < float(each.max()), "some are free and some are not"
    expected = sum(max(free, float(nats)) for nats in each)
    assert float(terms_of(method, "bound", batch)["kl"].detach()) == pytest.approx(expected, rel=1e-5)


def test_the_decoder_is_told_the_class_and_the_encoder_is_not():
    method, batch = method_of(LABELLED)
    deploys, x = method.eval().deploys(), batch["x"]
    z, label = deploys["encode"].module(x), batch["label"]
    assert torch.equal(deploys["reconstruct"].module(x, label), method.decoder(z, label))
    assert not torch.equal(method.decoder(z, label), method.decoder(z, 2 - label))
    assert [port.name for port in deploys["generate"].inputs] == ["z", "label"]
    assert [port.name for port in deploys["encode"].inputs] == ["x"]


def test_what_users_get_draws_nothing_and_is_the_mean():
    method, batch = method_of()
    deploys, x = method.eval().deploys(), batch["x"]
    codes = deploys["encode"].module(x)
    assert torch.equal(codes, posterior(method, x).mean)
    made = deploys["reconstruct"].module(x)
    assert torch.equal(made, deploys["generate"].module(codes))
    torch.testing.assert_close(made, 2 * method.decoder.raw(codes).sigmoid() - 1)


def test_the_recipe_has_the_papers_networks():
    recipe = VAE.recipe()
    method = VAE(recipe.config, replace(recipe, domains=OneDomain(x="grey")).spec())
    widths = [(part.in_features, part.out_features) for part in method.modules() if isinstance(part, nn.Linear)]
    assert widths == [(784, 500), (500, 2 * 20), (20, 500), (500, 784)]
    assert not any(isinstance(part, nn.Tanh) for part in method.modules()), "log-odds go without bounds"


def test_what_it_cannot_learn_from_is_refused():
    with pytest.raises(ConfigurationError, match="points"):
        tiny_method(narrow(OneDomain(x="vector:2")))
    for wrong in ({"latent": 0}, {"free_nats": -1.0}, {"kl_weight": Ramp(start=-1.0, end=1.0)}):
        with pytest.raises(ConfigurationError, match=next(iter(wrong)).replace("_", "-")):
            narrow(**wrong)
    with pytest.raises(ConfigurationError, match="std"):
        Likelihood(kind="gaussian", std=0.0)


# Evidence: x = W z + b + noise, where log p(x) is that of a normal distribution and q(z|x) may be exact

STD = 0.5
WEIGHT = torch.tensor([[1.0, 0.5], [-0.3, 0.8], [0.2, 0.0], [0.0, -1.2]])
OFFSET = torch.tensor([0.1, -0.2, 0.0, 0.3])


def linear_model(*, wider: float = 1.0) -> VAE:
    """The exact posterior of factor analysis has a full covariance: columns of W are made orthogonal, so it has not."""
    recipe = tiny_recipe("vae")
    config = replace(
        recipe.config,
        encoder=replace(recipe.config.encoder, widths=()),
        decoder=replace(recipe.config.decoder, widths=()),
        latent=2,
        likelihood=Likelihood(kind="gaussian", std=STD),
    )
    method = tiny_method(replace(recipe, config=config, domains=OneDomain(x="vector:4")))
    assert isinstance(method, VAE)
    weight = orthogonal()
    precision = 1 + weight.square().sum(dim=0) / STD**2
    there = weight.T / STD**2 / precision[:, None]
    with torch.no_grad():
        (first,) = (part for part in method.encoder.modules() if isinstance(part, nn.Linear))
        first.weight.copy_(torch.cat([there, torch.zeros(2, 4)]))
        first.bias.copy_(torch.cat([-there @ OFFSET, (wider / precision).log()]))
        (last,) = (part for part in method.decoder.modules() if isinstance(part, nn.Linear))
        last.weight.copy_(weight)
        last.bias.copy_(OFFSET)
    return method.requires_grad_(False).eval()


def orthogonal() -> Tensor:
    directions = torch.linalg.qr(WEIGHT).Q
    return directions * torch.tensor([1.5, 0.7])


def samples(count: int = 200) -> tuple[Tensor, Tensor]:
    weight = orthogonal()
    covariance = weight @ weight.T + STD**2 * torch.eye(4)
    truth = multivariate_normal(OFFSET.numpy(), covariance.numpy())
    x = torch.from_numpy(truth.rvs(count, random_state=0))
    return x.float(), torch.from_numpy(truth.logpdf(x.numpy()))


def test_with_the_exact_posterior_every_weight_is_the_evidence():
    x, log_p = samples()
    found = evidence(linear_model(), x, draws=3)
    torch.testing.assert_close(found.bound.double(), log_p, rtol=0, atol=1e-4)
    torch.testing.assert_close(found.means.var(dim=0) > 0.01, torch.tensor([True, True]))


def test_with_another_posterior_the_bounds_are_below_in_order_and_near_with_many_draws():
    """The gap of the ELBO is KL(q || posterior): for variances 4 times too large (4 - 1 - log 4) / 2 a dimension."""
    torch.manual_seed(0)
    x, log_p = samples()
    model = linear_model(wider=4.0)
    gap = 2 * (4 - 1 - math.log(4)) / 2
    few, many = evidence(model, x, draws=5), evidence(model, x, draws=2000)
    assert float(log_p.mean() - many.elbo.mean()) == pytest.approx(gap, rel=0.02)
    assert many.elbo.mean() < few.bound.mean() < many.bound.mean() < log_p.mean() + 0.01
    assert float(log_p.mean() - many.bound.mean()) < 0.02


def test_control_a_decoder_that_is_a_little_wrong_loses_evidence():
    x, log_p = samples()
    broken = copy.deepcopy(linear_model())
    (last,) = (part for part in broken.decoder.modules() if isinstance(part, nn.Linear))
    last.bias += 0.2
    assert float(evidence(broken, x, draws=500).bound.mean()) < float(log_p.mean()) - 0.05


def test_a_dead_unit_is_not_active():
    model = linear_model()
    (first,) = (part for part in model.encoder.modules() if isinstance(part, nn.Linear))
    x, _ = samples()
    assert active_units(evidence(model, x, draws=1).means) == 2
    first.weight[1] = 0.0
    assert active_units(evidence(model, x, draws=1).means) == 1


def test_evidence_is_not_asked_for_in_training_mode():
    x, _ = samples(2)
    with pytest.raises(ValueError, match="eval"):
        evidence(linear_model().train(), x)
