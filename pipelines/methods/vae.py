"""VAE: an auto-encoder whose codes are distributions near a known one, so that there is something to draw from.

Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, https://arxiv.org/abs/1312.6114. With classes, the
decoder is told the class: p(x | z, y), as in Kingma et al., "Semi-supervised Learning with Deep Generative Models",
NeurIPS 2014, https://arxiv.org/abs/1406.5298, M2.

    log p(x) >= E_q(z|x) log p(x|z) - KL(q(z|x) || N(0, 1))                                             (ELBO, eq. 3)
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from translate.auto_encoding import auto_encoder_deploys, recipe_on_digits
from translate.card import Vector
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, X
from translate.errors import ConfigurationError, require
from translate.losses.likelihoods import Likelihood
from translate.losses.variational import (
    drawn_from,
    free_bits,
    gaussian_kl,
    importance_weighted_bound,
    log_importance_weight,
)
from translate.method import Batch, Deploy, Method, Progress, Terms, Turn
from translate.networks.auto_encoders import Means, build_decoder
from translate.networks.encoders import EncoderConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.ramp import Ramp, constantly
from translate.recipe import Recipe


class VAE(Method):
    """Learns to make samples, of a class where the data set has classes, and what their codes are."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """The paper's shape for digits: 500 units to a code of 20 numbers, and back."""

        encoder: EncoderConfig = field(
            default_factory=lambda: EncoderConfig(kind="mlp", widths=(500,), activation="relu", norm="none")
        )
        """From a sample to the distribution of its code. It is not told the class, which the sample shows."""
        decoder: LatentGeneratorConfig = field(
            default_factory=lambda: LatentGeneratorConfig(kind="mlp", widths=(500,), norm="none")
        )
        """From a code, and a class, to a sample."""
        latent: int = 20
        """Numbers in a code."""
        likelihood: Likelihood = field(default_factory=Likelihood)
        """What the decoder's output says of a sample."""
        kl_weight: Ramp = field(default_factory=lambda: constantly(1.0))
        """Of the KL over the run; 1 is the bound itself, and a ramp up to it (Bowman et al. 2016) keeps units from
        dying early. More asks for codes that are apart from one another (beta-VAE), less for sharper samples."""
        free_nats: float = 0.0
        """Nats of every number of a code that cost nothing (Kingma et al. 2016); 0: all cost."""

        def __post_init__(self) -> None:
            """Refuse a code without numbers, and weights that turn the bound round."""
            require(self.latent >= 1, "config.latent", self.latent, "at least 1")
            require(self.kl_weight.least >= 0, "config.kl-weight", self.kl_weight.least, "0 or more all along")
            require(self.free_nats >= 0, "config.free-nats", self.free_nats, "0 or more")

    config: Config

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        if config.likelihood.log_odds and isinstance(spec.domains[X][0], Vector):
            raise ConfigurationError(
                "--config.likelihood.kind is bernoulli, which is for pictures: choose gaussian for points"
            )
        shape, classes = spec.shape(X), spec.classes(LABEL)
        self.encoder = config.encoder.build_gaussian(shape, config.latent)
        log_odds = config.likelihood.log_odds
        self.decoder = build_decoder(config.decoder, shape, config.latent, classes, log_odds=log_odds)

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's networks on digits of 28 px, with ReLU for its tanh and Adam for its Adagrad."""
        return recipe_on_digits("vae", VAE.Config())

    def turns(self) -> tuple[Turn, ...]:
        """One move of both."""
        return (Turn(name="bound", trains=(self.encoder, self.decoder), loss=self.bound_loss),)

    def bound_loss(self, batch: Batch, progress: Progress) -> Terms:
        """-E_q(z|x) log p(x|z) + beta KL(q(z|x) || N(0, 1)) in nats a sample, by one draw of z (section 2.3)."""
        x, config = batch[X], self.config
        code = self.encoder(x)
        noise = batch.share("noise", (), lambda: torch.randn_like(code.mean))
        raw = self.decoder.raw(drawn_from(code.mean, code.log_variance, noise=noise), batch.get(LABEL))
        kl = gaussian_kl(code.mean, code.log_variance)
        batch.note("KL", kl.sum(dim=1))
        return {
            "reconstruction": -config.likelihood.log_likelihood(raw, x).mean(),
            "kl": config.kl_weight.at(progress) * free_bits(kl, least=config.free_nats),
        }

    def deploys(self) -> dict[str, Deploy]:
        """From noise, to the code, and there and back by the mean of the code."""
        return auto_encoder_deploys(
            sampler=self.decoder,
            sampled_by=(self.decoder,),
            coder=Means(encoder=self.encoder),
            encoder=self.encoder,
            decoder=self.decoder,
            latent=self.config.latent,
            spec=self.spec,
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a VAE says of N samples, in nats; a mean over samples is what papers state."""

    elbo: Tensor
    """N: the lower bound, its KL in closed form."""
    bound: Tensor
    """N: the importance-weighted bound (Burda et al. 2016), nearer to log p(x) the more draws there are."""
    kl: Tensor
    """N: the part of the ELBO that the code costs."""
    means: Tensor
    """N x latent, of q(z|x): for `translate.losses.variational.active_units`."""


@torch.no_grad()
def evidence(method: VAE, x: Tensor, label: Tensor | None = None, *, draws: int = 50) -> Evidence:
    """The bounds of log p(x), or of log p(x | label), of held-out samples.

    Args:
        method: in evaluation mode. Raises ValueError in training mode, where dropout and batch norm would have a say.
        x: N x *shape.
        label: N classes where the method knows classes.
        draws: k, draws of z for each sample, from torch's global generator.
    """
    if method.training:
        raise ValueError("the method is in training mode: call eval() before you ask for its evidence")
    mean, log_variance = method.encoder(x)
    likelihoods, weights = list[Tensor](), list[Tensor]()
    for _ in range(draws):
        z = drawn_from(mean, log_variance)
        likelihoods.append(method.config.likelihood.log_likelihood(method.decoder.raw(z, label), x))
        weights.append(log_importance_weight(likelihoods[-1], z, mean, log_variance))
    kl = gaussian_kl(mean, log_variance).sum(dim=1)
    bound = importance_weighted_bound(torch.stack(weights))
    return Evidence(elbo=torch.stack(likelihoods).mean(dim=0) - kl, bound=bound, kl=kl, means=mean)
