"""SGAN: a classifier that is a discriminator too learns from many samples of which a few have labels.

Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen, "Improved Techniques for Training GANs", NeurIPS 2016,
https://arxiv.org/abs/1606.03498, section 5.

    L_supervised = -E log p(y | x, y < K + 1)
    L_unsupervised = -(E log D(x) + E log(1 - D(G(z)))),   D(x) = Z(x) / (Z(x) + 1),   Z = sum_k exp l_k(x)

The class K + 1, "made", has a logit held at 0. The generator matches mean features (section 3.1): worse samples, but a
much better classifier. Users get averaged weights, as the published runs were tested.

Two terms of later papers, off by default, say more about samples without labels: their class should be clear (Dai et
al. 2017, https://arxiv.org/abs/1705.09783, equation 8), and the same after another disturbance (Laine and Aila 2017,
https://arxiv.org/abs/1610.02242, the Pi model).
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, OneDomain, X
from translate.data.labelled_memory import LabelledMemory
from translate.deploy import class_scores, sample_port
from translate.errors import require
from translate.game import FAKE, REAL
from translate.losses.adversarial import NON_SATURATING
from translate.losses.classes import class_disagreement, class_entropy, classification, real_score
from translate.losses.features import mean_matching
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.class_discriminators import ClassifierDiscriminator, ClassifierDiscriminatorConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.moved import moved_at_random, require_movable
from translate.noise import Noise
from translate.optimisers import Adam
from translate.ramp import Ramp, constantly
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class SGAN(Method):
    """Learns to classify from a few labels and many samples, and to make samples."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """The published networks for MNIST, without their first weights by data."""

        noise: Noise = field(default_factory=lambda: Noise(size=100, distribution="uniform"))
        """What the generator starts from."""
        generator: LatentGeneratorConfig = field(
            default_factory=lambda: LatentGeneratorConfig(kind="mlp", widths=(500, 500), activation="softplus")
        )
        """The generator, which knows no classes."""
        discriminator: ClassifierDiscriminatorConfig = field(default_factory=ClassifierDiscriminatorConfig)
        """The classifier, which is the discriminator."""
        supervised_weight: float = 1.0
        """Weight of what is learnt from labels."""
        unsupervised_weight: float = 0.5
        """Weight of the game; the published code takes the mean over real and made samples."""
        labelled_batch: int = 100
        """Labelled samples a step, drawn from those that have come by."""
        memory: int = 1000
        """Labelled samples that are kept to draw from: the last that came, several times as many as there are."""
        labelled_shift_px: int = 0
        """Labelled pictures are moved by up to so many pixels each way, which stands for more of them."""
        unlabelled_shift_px: int = 0
        """The same of all pictures, real and made, of which the classifier says whether they are real."""
        entropy: Ramp = field(default_factory=lambda: constantly(0.0))
        """Weight of the entropy of p(y | x) of real samples: it lays borders between classes where samples are few."""
        agreement: Ramp = field(default_factory=lambda: constantly(0.0))
        """Weight of the squared distance between p(y | x) of a real sample that was disturbed in two ways: by noise,
        dropout and shifts."""

        def __post_init__(self) -> None:
            """Refuse what cannot be drawn."""
            require(self.labelled_batch >= 1, "config.labelled-batch", self.labelled_batch, "1 or more")
            require(self.labelled_shift_px >= 0, "config.labelled-shift-px", self.labelled_shift_px, "0 or more")
            unlabelled = self.unlabelled_shift_px
            require(unlabelled >= 0, "config.unlabelled-shift-px", unlabelled, "0 or more")
            require(self.entropy.least >= 0, "config.entropy", self.entropy.least, "0 or more at both ends")
            require(self.agreement.least >= 0, "config.agreement", self.agreement.least, "0 or more at both ends")

    takes_unlabelled = True

    config: Config

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        shape = spec.shape(X)
        require_movable(shape, config.labelled_shift_px, "config.labelled-shift-px")
        require_movable(shape, config.unlabelled_shift_px, "config.unlabelled-shift-px")
        self.generator = config.generator.build(shape, config.noise.size)
        self.discriminator = config.discriminator.build(shape, spec.classes(LABEL))
        self.memory = LabelledMemory(capacity=config.memory, shape=shape)

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The published run on digits of 28 px: 10 labels a class, 300 epochs, weights averaged by 1e-4 a step."""
        adam = Adam(learning_rate=3e-3, beta1=0.5)
        return Recipe(
            method="sgan",
            config=SGAN.Config(),
            optimisers={"generator": adam, "discriminator": adam},
            length=Length(epochs=300),
            domains=OneDomain(labelled=True, labels_a_class=10),
            augmentation=Augmentation(load_px=28, crop_px=28, flip=False, keep_aspect=True),
            batch_size=100,
            schedule=Schedule(shape="constant"),
            average_half_life_images=693_000.0,
            validation=Validation(best="class_accuracy", most=500),
        )

    def turns(self) -> tuple[Turn, ...]:
        """The classifier, then the generator."""
        return (
            Turn(name="discriminator", trains=(self.discriminator,), loss=self.discriminator_loss),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss),
        )

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """L_supervised + 1/2 L_unsupervised, and what else has a weight; log Z is the score whose sigmoid is D."""
        self.memory.gather(batch[X], batch[LABEL])
        samples, labels = self.memory.draw(self.config.labelled_batch)
        samples = moved_at_random(samples, most_px=self.config.labelled_shift_px)
        logits = self.discriminator(self._moved(batch[X]))
        real, fake = real_score(logits), real_score(self.discriminator(self._moved(self._fake(batch))))
        batch.note(REAL, real.sigmoid())
        batch.note(FAKE, fake.sigmoid())
        return {
            "supervised": self.config.supervised_weight * classification(self.discriminator(samples), labels),
            "unsupervised": self.config.unsupervised_weight * NON_SATURATING.discriminator(real, fake),
            **self._of_unlabelled(logits, batch, progress),
        }

    def _of_unlabelled(self, logits: Tensor, batch: Batch, progress: Progress) -> Terms:
        """Entropy of the classes of real samples, and how far they are from those of another look at them."""
        terms: dict[str, Tensor] = {}
        entropy, agreement = self.config.entropy, self.config.agreement
        if entropy.most:
            terms["entropy"] = entropy.at(progress) * class_entropy(logits)
        if agreement.most:
            other = self.discriminator(self._moved(batch[X]))
            terms["agreement"] = agreement.at(progress) * class_disagreement(logits, other)
        return terms

    def _moved(self, x: Tensor) -> Tensor:
        return moved_at_random(x, most_px=self.config.unlabelled_shift_px)

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """||E f(x) - E f(G(z))||^2 over the classifier's last hidden layer."""
        fake = self.discriminator.features(self._fake(batch))
        return {"features": mean_matching(fake, self.discriminator.features(batch[X]))}

    def _fake(self, batch: Batch) -> Tensor:
        return batch.share("fake", self.generator, lambda: self._make(batch))

    def _make(self, batch: Batch) -> Tensor:
        z = batch.share("z", (), lambda: self.config.noise.draw(len(batch[X]), batch[X].device))
        return self.generator(z)

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """The scores log Z of held-out samples, and of made ones."""
        real, fake = self.discriminator(batch[X]), self.discriminator(self._make(batch))
        return {"discriminator": Scored(real=[real_score(real)], fake=[real_score(fake)])}

    def deploys(self) -> dict[str, Deploy]:
        """The generator, and the classifier, which it is all about."""
        classify = class_scores(Classify(discriminator=self.discriminator), (self.discriminator,), self.spec)
        generate = Deploy(
            module=self.generator,
            networks=(self.generator,),
            task="generate",
            inputs=(self.config.noise.port(),),
            outputs=(sample_port(self.spec),),
        )
        return {"generate": generate, "classify": classify}


class Classify(nn.Module):
    """p(y | x, y < K + 1): N x *shape samples to the N x K probabilities of the classes."""

    def __init__(self, *, discriminator: ClassifierDiscriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities, which add up to 1 a sample."""
        return self.discriminator(x).softmax(dim=1)
