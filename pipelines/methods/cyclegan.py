"""CycleGAN: two translators that undo each other, so that unpaired pictures suffice.

Zhu, Park, Isola and Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
ICCV 2017, https://arxiv.org/abs/1703.10593.
"""

from dataclasses import dataclass, field

from torch import Tensor

from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import TwoDomains
from translate.data.pool import ReplayPool
from translate.deploy import translation
from translate.losses.adversarial import OBJECTIVES, ObjectiveName
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.reconstruction import l1
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.discriminators import DiscriminatorConfig, DiscriminatorNetwork
from translate.networks.generators import GeneratorConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation


class CycleGAN(Method):
    """Learns a -> b and b -> a from two piles of pictures."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """The paper's settings at 256 px."""

        generator: GeneratorConfig = field(default_factory=lambda: GeneratorConfig(kind="resnet", norm="instance"))
        """Both generators."""
        discriminator: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(norm="instance"))
        """Both discriminators."""
        objective: ObjectiveName = "least-squares"
        """The adversarial game."""
        cycle_weight: float = 10.0
        """Weight of each cycle, lambda in the paper."""
        identity_weight: float = 0.5
        """Weight of the identity terms, as a part of the cycles'; they keep colours (section 5.2); 0: none."""
        penalty: GradientPenalty = field(default_factory=GradientPenalty)
        """What holds the discriminators back."""
        pool_size: int = 50
        """Earlier fakes kept for each discriminator."""

        def __post_init__(self) -> None:
            """Refuse a penalty that the discriminators' norm makes meaningless."""
            self.penalty.require_norm(self.discriminator.norm)

    config: Config

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        a, b = spec.channels("a"), spec.channels("b")
        self.generator_ab = config.generator.build(a, b, batch_size=spec.batch_size, crop_px=spec.height_px)
        self.generator_ba = config.generator.build(b, a, batch_size=spec.batch_size, crop_px=spec.height_px)
        self.discriminator_a = config.discriminator.build(a, batch_size=spec.batch_size, ports=spec.pictures("a"))
        self.discriminator_b = config.discriminator.build(b, batch_size=spec.batch_size, ports=spec.pictures("b"))
        self.pool_a = _pool(config, spec, a)
        self.pool_b = _pool(config, spec, b)
        self.objective = OBJECTIVES[config.objective]
        self.has_identity = config.identity_weight > 0 and a == b

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run: 200 epochs at batch size 1, the rate falling to 0 through the second half."""
        return Recipe(
            method="cyclegan",
            config=CycleGAN.Config(),
            optimisers={
                name: Adam() for name in ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")
            },
            length=Length(epochs=200),
            domains=TwoDomains(paired=False),
            augmentation=Augmentation(),
            validation=Validation(best="kid"),
        )

    def turns(self) -> tuple[Turn, ...]:
        """Both generators in one move, then both discriminators on the fakes that the generators made."""
        generators = (self.generator_ab, self.generator_ba)
        return (
            Turn(name="generators", trains=generators, loss=self.generators_loss),
            Turn(name="discriminator_a", trains=(self.discriminator_a,), loss=self.discriminator_a_loss),
            Turn(name="discriminator_b", trains=(self.discriminator_b,), loss=self.discriminator_b_loss),
        )

    def generators_loss(self, batch: Batch, progress: Progress) -> Terms:
        """L_GAN(G) + L_GAN(F) + lambda (|F(G(a)) - a|_1 + |G(F(b)) - b|_1) + lambda_identity (...), equation 3."""
        a, b, config = batch["a"], batch["b"], self.config
        fake_a, fake_b = self._fake_a(batch), self._fake_b(batch)
        terms = {
            "adversarial_a": self.objective.generator(self.discriminator_a(fake_a), lambda: self.discriminator_a(a)),
            "adversarial_b": self.objective.generator(self.discriminator_b(fake_b), lambda: self.discriminator_b(b)),
            "cycle_a": config.cycle_weight * l1(self.generator_ba(fake_b), a),
            "cycle_b": config.cycle_weight * l1(self.generator_ab(fake_a), b),
        }
        return {**terms, **self._identity(a, b)}

    def _identity(self, a: Tensor, b: Tensor) -> Terms:
        """|G(b) - b|_1 + |F(a) - a|_1: a picture that is in the target domain already stays (section 5.2)."""
        if not self.has_identity:
            return {}
        weight = self.config.cycle_weight * self.config.identity_weight
        return {
            "identity_a": weight * l1(self.generator_ba(a), a),
            "identity_b": weight * l1(self.generator_ab(b), b),
        }

    def discriminator_a_loss(self, batch: Batch, progress: Progress) -> Terms:
        """1/2 (E[(D_A(a) - 1)^2] + E[D_A(F(b))^2]), on fakes of the pool (section 4)."""
        return self._discriminator_loss(self.discriminator_a, batch["a"], self.pool_a.exchange(self._fake_a(batch)))

    def discriminator_b_loss(self, batch: Batch, progress: Progress) -> Terms:
        """1/2 (E[(D_B(b) - 1)^2] + E[D_B(G(a))^2])."""
        return self._discriminator_loss(self.discriminator_b, batch["b"], self.pool_b.exchange(self._fake_b(batch)))

    def _discriminator_loss(self, discriminator: DiscriminatorNetwork, real: Tensor, fake: Tensor) -> Terms:
        adversarial = self.objective.discriminator(discriminator(real), discriminator(fake))
        return {"adversarial": 0.5 * adversarial, **self.config.penalty.terms(discriminator, real, fake)}

    def _fake_a(self, batch: Batch) -> Tensor:
        return batch.share("fake_a", self.generator_ba, lambda: self.generator_ba(batch["b"]))

    def _fake_b(self, batch: Batch) -> Tensor:
        return batch.share("fake_b", self.generator_ab, lambda: self.generator_ab(batch["a"]))

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminators say of held-out pictures, real and translated."""
        a, b = batch["a"], batch["b"]
        return {
            "discriminator_a": Scored(real=self.discriminator_a(a), fake=self.discriminator_a(self.generator_ba(b))),
            "discriminator_b": Scored(real=self.discriminator_b(b), fake=self.discriminator_b(self.generator_ab(a))),
        }

    def deploys(self) -> dict[str, Deploy]:
        """Both generators."""
        a, b = self.spec.pictures("a"), self.spec.pictures("b")
        return {"AtoB": translation(self.generator_ab, a, b), "BtoA": translation(self.generator_ba, b, a)}


def _pool(config: CycleGAN.Config, spec: SampleSpec, channels: int) -> ReplayPool:
    return ReplayPool(capacity=config.pool_size, channels=channels, height_px=spec.height_px, width_px=spec.width_px)
