"""Auto-encoder: a network that squeezes samples into a few numbers, and one that makes them whole again.

Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313 (2006).

    min E |decoder(encoder(x)) - x|^2

It learns no distribution to draw from. `generate` draws codes from a normal distribution fitted to those of the
training samples: what a VAE has to be better than.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from translate.auto_encoding import auto_encoder_deploys, recipe_on_digits
from translate.card import Vector
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, X
from translate.errors import ConfigurationError, require
from translate.losses.reconstruction import l1, l2
from translate.losses.variational import bernoulli_log_likelihood
from translate.method import Batch, Deploy, Method, Progress, Terms, Turn
from translate.networks.auto_encoders import build_decoder
from translate.networks.encoders import EncoderConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.measured_codes import FromCodes, MeasuredEncoder
from translate.recipe import Recipe

ReconstructionName = Literal["l2", "l1", "bernoulli"]


class AutoEncoder(Method):
    """Learns to give samples back through a code of a few numbers."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """The paper's shape for digits: 1000, 500 and 250 units to a code of 30 numbers, and back."""

        encoder: EncoderConfig = field(
            default_factory=lambda: EncoderConfig(kind="mlp", widths=(1000, 500, 250), activation="relu", norm="none")
        )
        """From a sample to its code."""
        decoder: LatentGeneratorConfig = field(
            default_factory=lambda: LatentGeneratorConfig(kind="mlp", widths=(250, 500, 1000), norm="none")
        )
        """From a code to a sample."""
        latent: int = 30
        """Numbers in a code."""
        reconstruction: ReconstructionName = "l2"
        """Distance to the sample: l2, l1, or the cross-entropy (bernoulli) for pictures that are nearly black and
        white; mean over all numbers."""

        def __post_init__(self) -> None:
            """Refuse a code without numbers, and a distance that is none."""
            require(self.latent >= 1, "config.latent", self.latent, "at least 1")
            if self.reconstruction not in _DISTANCES:
                raise ConfigurationError(
                    f"--config.reconstruction is {self.reconstruction}: choose {' or '.join(_DISTANCES)}"
                )

    config: Config

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        _require_samples_alone(config, spec)
        shape = spec.shape(X)
        self.encoder = MeasuredEncoder(encoder=config.encoder.build(shape, config.latent), latent=config.latent)
        log_odds = config.reconstruction == "bernoulli"
        self.decoder = build_decoder(config.decoder, shape, config.latent, log_odds=log_odds)
        self.distance = _DISTANCES[config.reconstruction]

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's networks on digits of 28 px, trained at once by Adam: they need no layer-wise pretraining now."""
        return recipe_on_digits("autoencoder", AutoEncoder.Config())

    def turns(self) -> tuple[Turn, ...]:
        """One move of both."""
        return (Turn(name="reconstruction", trains=(self.encoder, self.decoder), loss=self.reconstruction_loss),)

    def reconstruction_loss(self, batch: Batch, progress: Progress) -> Terms:
        """E |decoder(encoder(x)) - x|^2, or the distance in its place."""
        return {"reconstruction": self.distance(self.decoder.raw(self.encoder(batch[X])), batch[X])}

    def deploys(self) -> dict[str, Deploy]:
        """From codes drawn like those of the training samples, to the code, and there and back."""
        return auto_encoder_deploys(
            sampler=FromCodes(codes=self.encoder.codes, decoder=self.decoder),
            sampled_by=(self.decoder, self.encoder),
            coder=self.encoder,
            encoder=self.encoder,
            decoder=self.decoder,
            latent=self.config.latent,
            spec=self.spec,
        )


def _cross_entropy(log_odds: Tensor, samples: Tensor) -> Tensor:
    return -bernoulli_log_likelihood(log_odds, samples).mean() / samples[0].numel()


_DISTANCES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"l2": l2, "l1": l1, "bernoulli": _cross_entropy}


def _require_samples_alone(config: AutoEncoder.Config, spec: SampleSpec) -> None:
    if spec.classes(LABEL):
        raise ConfigurationError("--labelled: an auto-encoder learns from samples alone; leave it out, or train a vae")
    if config.reconstruction == "bernoulli" and isinstance(spec.domains[X][0], Vector):
        raise ConfigurationError(
            "--config.reconstruction is bernoulli, which is for pictures: choose l2 or l1 for points"
        )
