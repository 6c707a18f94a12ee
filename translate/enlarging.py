"""Learning to enlarge pictures in two stages: first for the pixels, then against a discriminator.

Ledig et al. 2017, SRGAN, https://arxiv.org/abs/1609.04802: a network that learns by pixels alone gives the mean of all
that could have been, which is blurred; one that starts from it and plays against a discriminator gives a sharp picture
that might have been. ESRGAN (Wang et al. 2018) and Real-ESRGAN (Wang et al. 2021) change networks, game, degradation.
"""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from translate.data.domain import SampleSpec
from translate.deploy import enlargement
from translate.errors import ConfigurationError, require
from translate.losses.adversarial import OBJECTIVES, ObjectiveName
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.perceptual import perceptual
from translate.losses.reconstructions import RECONSTRUCTIONS, ReconstructionName
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.backbones import BackboneName, LazyBackbone
from translate.networks.discriminators import DiscriminatorConfig, DiscriminatorNetwork
from translate.networks.enlargers import EnlargerConfig


@dataclass(frozen=True, kw_only=True)
class EnlargingConfig:
    """Both stages."""

    generator: EnlargerConfig = field(default_factory=EnlargerConfig)
    """The network that enlarges."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The discriminator of large pictures, in the second stage."""
    pixel_until: float = 0.5
    """Part of the run (0 to 1) that is the first stage; 1: pixels alone, and no discriminator at all; 0: none of it,
    for a run that starts from one (--start-from)."""
    reconstruction: ReconstructionName = "l1"
    """Distance to the true picture."""
    reconstruction_weight: float = 1.0
    """Weight of that distance in the second stage; in the first it stands alone."""
    objective: ObjectiveName = "non-saturating"
    """The adversarial game."""
    adversarial_weight: float = 0.01
    """Weight of the generator's adversarial term."""
    perceptual_weight: float = 0.4
    """Weight of the perceptual loss in the second stage."""
    perceptual_backbone: BackboneName = "efficientnet-lite0"
    """The frozen network of the perceptual loss; the VGGs are downloaded once."""
    penalty: GradientPenalty = field(default_factory=GradientPenalty)
    """What holds the discriminator back."""

    def __post_init__(self) -> None:
        """Refuse parts that are none, and a penalty that the discriminator's norm makes meaningless."""
        require(0 <= self.pixel_until <= 1, "config.pixel-until", self.pixel_until, "0 to 1, a part of the run")
        self.penalty.require_norm(self.discriminator.norm)


class Enlarging(Method):
    """Learns large pictures b from small ones a. Subclasses say what their paper chose: a Config and a recipe."""

    config: EnlargingConfig

    def __init__(self, config: Any, spec: SampleSpec) -> None:  # noqa: ANN401 - each method has a Config of its own
        super().__init__(config, spec)
        photos = spec.pictures("b")
        channels = spec.channels("b")
        if spec.channels("a") != channels:
            raise ConfigurationError(
                f"What is enlarged keeps its channels, and a has {spec.channels('a')} where b has {channels}"
            )
        self.generator = self.config.generator.build(channels, spec.scale)
        self.discriminator = (
            self.config.discriminator.build(channels, batch_size=spec.batch_size, ports=photos)
            if self.config.pixel_until < 1
            else None
        )
        self.objective = OBJECTIVES[self.config.objective]
        self.distance = RECONSTRUCTIONS[self.config.reconstruction]
        self.backbone = LazyBackbone(self.config.perceptual_backbone)

    def turns(self) -> tuple[Turn, ...]:
        """For the pixels; then, from `pixel_until` on, discriminator and generator."""
        until = self.config.pixel_until
        pixel = Turn(name="pixel", trains=(self.generator,), loss=self.pixel_loss, stop=until)
        if until == 1:
            return (pixel,)
        game = (
            Turn(name="discriminator", trains=(self._judge,), loss=self.discriminator_loss, start=until),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss, start=until),
        )
        return (*((pixel,) if until > 0 else ()), *game)

    def pixel_loss(self, batch: Batch, progress: Progress) -> Terms:
        """The distance to the true picture, alone."""
        return {"reconstruction": self.distance(self._fake(batch), batch["b"])}

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """E[-log D(b)] + E[-log(1 - D(G(a)))], or what the objective has in its place."""
        real, fake = batch["b"], self._fake(batch)
        adversarial = self.objective.discriminator(self._judge(real), self._judge(fake))
        return {"adversarial": adversarial, **self.config.penalty.terms(self._judge, real, fake)}

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """The perceptual loss, an adversarial term, and the distance of the pixels (SRGAN, equation 3)."""
        config, fake, real = self.config, self._fake(batch), batch["b"]
        adversarial = self.objective.generator(self._judge(fake), lambda: self._judge(real))
        terms = {
            "adversarial": config.adversarial_weight * adversarial,
            "reconstruction": config.reconstruction_weight * self.distance(fake, real),
        }
        if config.perceptual_weight:
            loss = perceptual(self.backbone, fake, real, weights=self.backbone.weights)
            terms["perceptual"] = config.perceptual_weight * loss
        return terms

    @property
    def _judge(self) -> DiscriminatorNetwork:
        """The discriminator, in the second stage."""
        assert self.discriminator is not None
        return self.discriminator

    def _fake(self, batch: Batch) -> Tensor:
        return batch.share("fake", self.generator, lambda: self.generator(batch["a"]))

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminator says of held-out photos, and of enlarged ones."""
        if self.discriminator is None:
            return {}
        real, fake = self.discriminator(batch["b"]), self.discriminator(self.generator(batch["a"]))
        return {"discriminator": Scored(real=real, fake=fake)}

    def deploys(self) -> dict[str, Deploy]:
        """The generator."""
        return {"upscale": enlargement(self.generator, self.spec.pictures("a"), self.spec.pictures("b"))}
