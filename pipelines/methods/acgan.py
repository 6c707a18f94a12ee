"""AC-GAN: a discriminator's features also tell the class, and the generator is to make samples whose class shows.

Odena, Olah and Shlens, "Conditional Image Synthesis With Auxiliary Classifier GANs", ICML 2017,
https://arxiv.org/abs/1610.09585.

    L_S = E log P(S = real | x) + E log P(S = fake | G(c, z))                                           (2)
    L_C = E log P(C = c | x) + E log P(C = c | G(c, z))                                                 (3)

The discriminator and its classifier maximise L_S + L_C, the generator L_C - L_S. A generator that is paid for classes
that show leaves out samples between them: watch its variety within a class beside its accuracy.
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, OneDomain
from translate.deploy import class_scores
from translate.errors import require
from translate.from_noise import FromNoise, FromNoiseConfig, Heads, require_single
from translate.losses.classes import classification
from translate.method import Batch, Deploy, Progress, Terms
from translate.networks.heads import ClassifierHead
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminator, SampleDiscriminatorConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class ACGAN(FromNoise):
    """Learns to make samples of a class, and to tell the classes of samples."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """DCGAN's networks with the paper's dropout; its discriminator for 32 px is deeper."""

        generator: LatentGeneratorConfig = field(default_factory=lambda: LatentGeneratorConfig(embedding=0))
        """The generator; it is given the class one-hot beside the noise."""
        discriminator: SampleDiscriminatorConfig = field(default_factory=lambda: SampleDiscriminatorConfig(dropout=0.5))
        """The discriminator, which is not told the class."""
        class_weight: float = 1.0
        """Weight of L_C beside L_S, on both sides."""
        made_share: float = 1.0
        """Share of that weight with which the classifier learns from made samples. At 0 it learns what a class is from
        real ones alone, so that a wrong sample cannot become right by being made often."""

        def __post_init__(self) -> None:
            """Refuse packs, which are of several classes."""
            FromNoiseConfig.__post_init__(self)
            require(self.made_share >= 0, "config.made-share", self.made_share, "0 or more")
            require_single(self.discriminator, "the classifier")

    config: Config  # pyright: ignore[reportIncompatibleVariableOverride] - it is never assigned anew
    tells_discriminator = False

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        self.classifier = ClassifierHead(features=self.discriminator.feature_size, classes=spec.classes(LABEL))

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run for pictures of 32 px (its CIFAR-10): Adam at a constant 2e-4, batches of 100."""
        adam = Adam(learning_rate=2e-4, beta1=0.5)
        return Recipe(
            method="acgan",
            config=ACGAN.Config(),
            optimisers={"generator": adam, "discriminator": adam, "classifier": adam},
            length=Length(images=5_000_000),
            domains=OneDomain(labelled=True),
            augmentation=Augmentation(load_px=32, crop_px=32, flip=False, keep_aspect=True),
            batch_size=100,
            schedule=Schedule(shape="constant"),
            validation=Validation(best="kid", most=500),
        )

    def judges(self) -> tuple[nn.Module, ...]:
        """The discriminator with its classifier."""
        return (self.discriminator, self.classifier)

    def heads(self, batch: Batch, progress: Progress) -> Heads:
        """-L_C: of real and of made samples in the discriminator's turn, of made ones in the generator's."""
        return Heads(
            on_real=lambda features: {"class_real": self._class_term(features, batch)},
            on_fake=lambda features: self._class_of_made(features, batch),
            for_generator=lambda features: {"class": self._class_term(features, batch)},
        )

    def _class_of_made(self, features: Tensor, batch: Batch) -> Terms:
        share = self.config.made_share
        return {"class_fake": share * self._class_term(features, batch)} if share else {}

    def _class_term(self, features: Tensor, batch: Batch) -> Tensor:
        return self.config.class_weight * classification(self.classifier(features), batch[LABEL])

    def deploys(self) -> dict[str, Deploy]:
        """The generator, and the classifier on the discriminator's features."""
        module = Classify(discriminator=self.discriminator, classifier=self.classifier)
        classify = class_scores(module, (self.discriminator, self.classifier), self.spec)
        return {**super().deploys(), "classify": classify}


class Classify(nn.Module):
    """P(C | x): N x *shape samples to the N x K probabilities of the classes."""

    def __init__(self, *, discriminator: SampleDiscriminator, classifier: ClassifierHead) -> None:
        super().__init__()
        self.discriminator, self.classifier = discriminator, classifier

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities, which add up to 1 a sample."""
        return self.classifier(self.discriminator.features(x)).softmax(dim=1)
