"""Learning to fill holes: what is known goes in with a mask, and the hole comes back filled.

Pathak et al. 2016 (context encoders) and Suvorov et al. 2022 (LaMa) change networks, weights and game; the rest is
alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from translate.card import Mask
from translate.data.domain import SampleSpec
from translate.errors import ConfigurationError
from translate.losses.adversarial import OBJECTIVES, ObjectiveName
from translate.losses.features import feature_matching
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.perceptual import perceptual
from translate.losses.regions import MaskAware, over
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.backbones import BackboneName, LazyBackbone
from translate.networks.discriminators import DiscriminatorConfig, DiscriminatorNetwork
from translate.networks.inpainters import InpainterConfig

_DISTANCES: Mapping[str, Callable[[Tensor], Tensor]] = {"l1": torch.abs, "l2": torch.square}


@dataclass(frozen=True, kw_only=True)
class FillingConfig:
    """The networks, and what each part of the loss weighs."""

    generator: InpainterConfig = field(default_factory=InpainterConfig)
    """The network that fills."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The discriminator of filled pictures."""
    reconstruction: Literal["l1", "l2"] = "l1"
    """Distance to the true pixels. A network that learns a difference begins with l2: l1 pulls as hard at the many
    pixels that are best left alone as at the few that should move, and holds it at none."""
    hole_weight: float = 10.0
    """Weight of that distance in the hole."""
    known_weight: float = 10.0
    """Weight of it elsewhere, where the answer stands in the input."""
    objective: ObjectiveName = "non-saturating"
    """The adversarial game, patch by patch: what touches no hole counts as real."""
    adversarial_weight: float = 1.0
    """Weight of the generator's adversarial term; 0: no discriminator at all."""
    feature_weight: float = 0.0
    """Weight of feature matching inside the discriminator."""
    perceptual_weight: float = 0.0
    """Weight of the perceptual loss."""
    perceptual_backbone: BackboneName = "efficientnet-lite0"
    """The frozen network of the perceptual loss; the VGGs are downloaded once."""
    penalty: GradientPenalty = field(default_factory=GradientPenalty)
    """What holds the discriminator back."""

    def __post_init__(self) -> None:
        """Refuse a penalty that the discriminator's norm makes meaningless."""
        self.penalty.require_norm(self.discriminator.norm)


class Filling(Method):
    """Learns photos b from what is left of them, a. Subclasses say what their paper chose: a Config and a recipe."""

    config: FillingConfig

    def __init__(self, config: Any, spec: SampleSpec) -> None:  # noqa: ANN401 - each method has a Config of its own
        super().__init__(config, spec)
        _require_mask(spec)
        photos, channels = spec.pictures("b"), spec.channels("b")
        self.generator = self.config.generator.build(
            spec.channels("a"), channels, batch_size=spec.batch_size, crop_px=spec.height_px
        )
        self.discriminator = (
            self.config.discriminator.build(channels, batch_size=spec.batch_size, ports=photos)
            if self.config.adversarial_weight
            else None
        )
        self.game = MaskAware(OBJECTIVES[self.config.objective])
        self.distance = _DISTANCES[self.config.reconstruction]
        self.backbone = LazyBackbone(self.config.perceptual_backbone)

    def turns(self) -> tuple[Turn, ...]:
        """The generator first, as LaMa's published code does; the discriminator on the very picture that it filled."""
        generator = Turn(name="generator", trains=(self.generator,), loss=self.generator_loss)
        if self.discriminator is None:
            return (generator,)
        return (generator, Turn(name="discriminator", trains=(self.discriminator,), loss=self.discriminator_loss))

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """Distances in the hole and around it, and what the filled picture looks like."""
        config, made, real, hole = self.config, self._made(batch), batch["b"], hole_of(batch["a"])
        filled = torch.where(hole > 0, made, real)
        regions = {"hole": (config.hole_weight, hole), "known": (config.known_weight, 1.0 - hole)}
        terms = {
            name: weight * over(region, made, real, self.distance)
            for name, (weight, region) in regions.items()
            if weight
        }
        if config.perceptual_weight:
            loss = perceptual(self.backbone, filled, real, weights=self.backbone.weights)
            terms["perceptual"] = config.perceptual_weight * loss
        return terms if self.discriminator is None else terms | self._judged(self.discriminator, filled, real, hole)

    def _judged(self, judge: DiscriminatorNetwork, filled: Tensor, real: Tensor, hole: Tensor) -> dict[str, Tensor]:
        seen = judge.features(filled)
        adversarial = self.game.generator([maps[-1] for maps in seen], hole)
        terms = {"adversarial": self.config.adversarial_weight * adversarial}
        if self.config.feature_weight:
            with torch.no_grad():
                expected = judge.features(real)
            matching = feature_matching([maps[:-1] for maps in seen], [maps[:-1] for maps in expected])
            terms["features"] = self.config.feature_weight * matching
        return terms

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """Real photos are real, and so is of filled ones what touches no hole; the rest is made."""
        judge = self.discriminator
        assert judge is not None
        hole, real = hole_of(batch["a"]), batch["b"]
        filled = torch.where(hole > 0, self._made(batch), real)
        adversarial = self.game.discriminator(judge(real), judge(filled), hole)
        return {"adversarial": adversarial, **self.config.penalty.terms(judge, real, filled)}

    def _made(self, batch: Batch) -> Tensor:
        return batch.share("made", self.generator, lambda: self.generator(emptied(batch["a"])))

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminator says of held-out photos, and of what was made in others."""
        if self.discriminator is None:
            return {}
        hole = hole_of(batch["a"])
        filled = torch.where(hole > 0, self.generator(emptied(batch["a"])), batch["b"])
        fake = self.game.of_made(self.discriminator(filled), hole)
        return {"discriminator": Scored(real=self.discriminator(batch["b"]), fake=fake)}

    def deploys(self) -> dict[str, Deploy]:
        """The generator; it gives back what is known as it was."""
        rule = self.generator.size_rule
        inputs, outputs = self.spec.pictures("a"), self.spec.pictures("b")
        return {
            "inpaint": Deploy(
                module=Filled(network=self.generator),
                networks=(self.generator,),
                task="inpaint",
                inputs=tuple(replace(port, size=rule) for port in inputs),
                outputs=tuple(replace(port, size=rule) for port in outputs),
                tiling=self.generator.tiling,
            )
        }


class Filled(nn.Module):
    """The picture with its hole filled: N x C x H x W and a mask, N x 1 x H x W, above 0 where to fill."""

    def __init__(self, *, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, mask: Tensor) -> Tensor:
        """What is known comes back unchanged, and what stood in the hole has no say."""
        made = self.network(emptied(torch.cat([picture, mask], dim=1)))
        return torch.where(mask > 0, made, picture)


def hole_of(known: Tensor) -> Tensor:
    """N x 1 x H x W of domain a, whose last channel is the mask: 1 in the hole, 0 elsewhere."""
    return (known[:, -1:] > 0).to(known.dtype)


def emptied(known: Tensor) -> Tensor:
    """Domain a with 0 in the hole, whatever stood there, and a mask of 1 and -1."""
    hole = hole_of(known)
    return torch.cat([known[:, :-1] * (1.0 - hole), 2.0 * hole - 1.0], dim=1)


def _require_mask(spec: SampleSpec) -> None:
    *pictures, mask = spec.pictures("a")
    if not pictures or not isinstance(mask, Mask):
        raise ConfigurationError("What fills holes learns from photos with holes: set --making to Holes")
