"""Context encoder: what is missing is made from its surroundings, through a narrow middle.

Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016, https://arxiv.org/abs/1604.07379. Losses
and game are `translate.filling`'s; here is what the paper chose.
"""

from dataclasses import dataclass, field
from typing import Literal

from translate.data.augmentation import Augmentation
from translate.data.domains import MadePairs
from translate.data.making import Holes
from translate.filling import Filling, FillingConfig
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.inpainters import InpainterConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class ContextEncoder(Filling):
    """An encoder and a decoder, by squared distance and a discriminator."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FillingConfig):
        """The paper's weights, 0.999 and 0.001; the hole alone counts."""

        generator: InpainterConfig = field(
            default_factory=lambda: InpainterConfig(kind="context-encoder", width=64, down=5)
        )
        """The network that fills."""
        discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
        """The discriminator of filled pictures."""
        reconstruction: Literal["l1", "l2"] = "l2"
        """Distance to the true pixels."""
        hole_weight: float = 0.999
        """Weight of that distance in the hole."""
        known_weight: float = 0.0
        """Weight of it elsewhere, where the answer stands in the input."""
        adversarial_weight: float = 0.001
        """Weight of the generator's adversarial term; 0: no discriminator at all."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """500 epochs of 64 crops of 128 px out of pictures of 350 px."""
        return Recipe(
            method="context_encoder",
            config=ContextEncoder.Config(),
            optimisers={"generator": Adam(), "discriminator": Adam()},
            length=Length(epochs=500),
            domains=MadePairs(making=Holes()),
            augmentation=Augmentation(load_px=350, crop_px=128, keep_aspect=True),
            batch_size=64,
            schedule=Schedule(shape="constant"),
            validation=Validation(best="l1"),
        )
