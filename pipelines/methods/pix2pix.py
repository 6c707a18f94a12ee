"""pix2pix: a discriminator that sees input and output together, so that the output must be right *for this input*.

Isola, Zhu, Zhou and Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
https://arxiv.org/abs/1611.07004. Feature matching is pix2pixHD's (Wang et al. 2018); it and the perceptual loss
are off unless their weight is above 0.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from translate.card import PicturePort
from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec, is_colours
from translate.data.domains import TwoDomains
from translate.deploy import translation
from translate.errors import ConfigurationError
from translate.losses.adversarial import OBJECTIVES, ObjectiveName
from translate.losses.features import feature_matching
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.perceptual import perceptual
from translate.losses.reconstructions import RECONSTRUCTIONS, ReconstructionName
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.backbones import BackboneName, LazyBackbone
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.generators import GeneratorConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation


class Pix2Pix(Method):
    """Learns a -> b from pairs."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """The paper's settings."""

        generator: GeneratorConfig = field(default_factory=lambda: GeneratorConfig(dropout=0.5))
        """The generator."""
        discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
        """The discriminator of (input, output) pairs."""
        objective: ObjectiveName = "non-saturating"
        """The adversarial game."""
        adversarial_weight: float = 1.0
        """Weight of the generator's adversarial term."""
        reconstruction: ReconstructionName = "l1"
        """Distance to the true picture."""
        reconstruction_weight: float = 100.0
        """Weight of that distance, lambda in the paper."""
        feature_weight: float = 0.0
        """Weight of feature matching inside the discriminator (pix2pixHD takes 10)."""
        perceptual_weight: float = 0.0
        """Weight of the perceptual loss; one unit of L1 is worth roughly 50 of it over EfficientNet-Lite0."""
        perceptual_backbone: BackboneName = "efficientnet-lite0"
        """The frozen network of the perceptual loss; the VGGs are downloaded once."""
        penalty: GradientPenalty = field(default_factory=GradientPenalty)
        """What holds the discriminator back."""

        def __post_init__(self) -> None:
            """Refuse a penalty that the discriminator's norm makes meaningless."""
            self.penalty.require_norm(self.discriminator.norm)

    config: Config

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        a, b = spec.channels("a"), spec.channels("b")
        self.generator = config.generator.build(a, b, batch_size=spec.batch_size, crop_px=spec.height_px)
        ports = (*spec.pictures("a"), *spec.pictures("b"))
        self.discriminator = config.discriminator.build(a + b, batch_size=spec.batch_size, ports=ports)
        self.objective = OBJECTIVES[config.objective]
        self.distance = RECONSTRUCTIONS[config.reconstruction]
        self.backbone = LazyBackbone(config.perceptual_backbone)
        if config.perceptual_weight:
            _require_colours(spec.pictures("b"))

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run: 200 epochs at batch size 1, the rate falling to 0 through the second half."""
        return Recipe(
            method="pix2pix",
            config=Pix2Pix.Config(),
            optimisers={"generator": Adam(), "discriminator": Adam()},
            length=Length(epochs=200),
            domains=TwoDomains(paired=True),
            augmentation=Augmentation(),
            validation=Validation(best="perceptual"),
        )

    def turns(self) -> tuple[Turn, ...]:
        """The discriminator first, on the very fake that the generator then learns from."""
        return (
            Turn(name="discriminator", trains=(self.discriminator,), loss=self.discriminator_loss),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss),
        )

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """1/2 (E[-log D(a, b)] + E[-log(1 - D(a, G(a)))]); halved to slow the discriminator down (section 3.3)."""
        real, fake = _pair(batch["a"], batch["b"]), _pair(batch["a"], self._fake(batch))
        adversarial = self.objective.discriminator(self.discriminator(real), self.discriminator(fake))
        return {"adversarial": 0.5 * adversarial, **self.config.penalty.terms(self.discriminator, real, fake)}

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """E[-log D(a, G(a))] + lambda E[|b - G(a)|_1], equation 4."""
        fake, real = self._fake(batch), batch["b"]
        seen = self.discriminator.features(_pair(batch["a"], fake))
        scores = [maps[-1] for maps in seen]
        adversarial = self.objective.generator(scores, lambda: self.discriminator(_pair(batch["a"], real)))
        terms = {
            "adversarial": self.config.adversarial_weight * adversarial,
            "reconstruction": self.config.reconstruction_weight * self.distance(fake, real),
        }
        if self.config.feature_weight:
            terms["features"] = self.config.feature_weight * self._feature_matching(batch, seen)
        if self.config.perceptual_weight:
            terms["perceptual"] = self.config.perceptual_weight * self._perceptual(fake, real)
        return terms

    def _fake(self, batch: Batch) -> Tensor:
        return batch.share("fake", self.generator, lambda: self.generator(batch["a"]))

    def _feature_matching(self, batch: Batch, seen: list[list[Tensor]]) -> Tensor:
        with torch.no_grad():
            expected = self.discriminator.features(_pair(batch["a"], batch["b"]))
        return feature_matching([maps[:-1] for maps in seen], [maps[:-1] for maps in expected])

    def _perceptual(self, fake: Tensor, real: Tensor) -> Tensor:
        return perceptual(self.backbone, fake, real, weights=self.backbone.weights)

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminator says of held-out pairs, real and translated."""
        fake = self.generator(batch["a"])
        return {
            "discriminator": Scored(
                real=self.discriminator(_pair(batch["a"], batch["b"])),
                fake=self.discriminator(_pair(batch["a"], fake)),
            )
        }

    def deploys(self) -> dict[str, Deploy]:
        """The generator, from a to b."""
        return {"AtoB": translation(self.generator, self.spec.pictures("a"), self.spec.pictures("b"))}


def _require_colours(ports: tuple[PicturePort, ...]) -> None:
    if not is_colours(ports):
        kinds = ", ".join(f"{port.kind} of {port.channels} channels" for port in ports)
        raise ConfigurationError(
            f"The perceptual loss sees one grey, RGB or RGBA picture, and the output is {kinds}: "
            "set --config.perceptual-weight 0"
        )


def _pair(a: Tensor, b: Tensor) -> Tensor:
    return torch.cat([a, b], dim=1)
