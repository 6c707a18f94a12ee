"""InfoGAN: codes beside the noise, of which a head on the discriminator must find again what they were.

Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel, "InfoGAN: Interpretable Representation Learning by Information
Maximizing Generative Adversarial Nets", NeurIPS 2016, https://arxiv.org/abs/1606.03657.

    min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q),   L_I = E log Q(c | G(z, c)) + H(c) <= I(c; G(z, c))  (5, 6)

Nobody says what a code means: on digits the categorical one comes to mean the digit, the continuous ones slant and
width. As in the published code, the discriminator takes part in maximising L_I, since Q stands on its features.

Of real samples the paper asks Q nothing. Where they are few, `clusters` may (translate/clusters.py; off by default).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from translate.clusters import ClustersConfig
from translate.codes import CodesConfig
from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import OneDomain, X
from translate.deploy import sample_port
from translate.from_noise import FromNoise, FromNoiseConfig, Heads, require_single
from translate.game import no_heads
from translate.losses.information import categorical_information, continuous_information
from translate.method import Batch, Deploy, Progress, Terms
from translate.networks.heads import CodeHead
from translate.networks.latent_generators import LatentGenerator, LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminator, SampleDiscriminatorConfig
from translate.noise import Noise
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class InfoGAN(FromNoise):
    """Learns to make samples out of noise and codes that come to mean something, without labels."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """The paper's codes for MNIST (appendix C.1), on DCGAN's networks with the paper's dense layers.

        Without these, and with more noise, a category took longer to mean a digit (docs/results-generating.md).
        """

        noise: Noise = field(default_factory=lambda: Noise(size=62, distribution="uniform"))
        """What the generator starts from beside the codes: what they do not say. Where it is small, they say more."""
        generator: LatentGeneratorConfig = field(default_factory=lambda: LatentGeneratorConfig(dense=1024))
        """The generator."""
        discriminator: SampleDiscriminatorConfig = field(default_factory=lambda: SampleDiscriminatorConfig(dense=1024))
        """The discriminator, on whose features Q stands."""
        codes: CodesConfig = field(default_factory=CodesConfig)
        """What is to come to mean something."""
        head: tuple[int, ...] = (128,)
        """Widths of the hidden layers of Q."""
        category_weight: float = 1.0
        """Weight of the information in categorical codes, lambda in the paper."""
        code_weight: float = 1.0
        """The same of continuous codes. The published code has 1 for both; the text says that less may be needed."""
        clusters: ClustersConfig = field(default_factory=ClustersConfig)
        """What Q's categories of real samples are to be like; nothing in the paper."""

        def __post_init__(self) -> None:
            """Refuse packs, whose samples have different codes, and questions about categories without any."""
            FromNoiseConfig.__post_init__(self)
            self.clusters.require_categories(len(self.codes.categories))
            require_single(self.discriminator, "Q")

    config: Config  # pyright: ignore[reportIncompatibleVariableOverride] - it is never assigned anew

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        config.clusters.distortion.require_picture(spec.shape(X))
        self.head = CodeHead(
            features=self.discriminator.feature_size,
            categorical=config.codes.categories,
            continuous=config.codes.continuous,
            widths=config.head,
        )

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run on digits, at 32 px: 5000 batches of 128, the generator's rate five times the others'."""
        fast, slow = Adam(learning_rate=1e-3, beta1=0.5), Adam(learning_rate=2e-4, beta1=0.5)
        return Recipe(
            method="infogan",
            config=InfoGAN.Config(),
            optimisers={"generator": fast, "discriminator": slow, "head": slow},
            length=Length(images=640_000),
            domains=OneDomain(),
            augmentation=Augmentation(load_px=32, crop_px=32, flip=False, keep_aspect=True),
            batch_size=128,
            schedule=Schedule(shape="constant"),
            validation=Validation(best="kid", most=500),
        )

    def code_size(self) -> int:
        """Of the noise and the codes behind it."""
        return self.config.noise.size + self.config.codes.size

    def judges(self) -> tuple[nn.Module, ...]:
        """The discriminator with Q on its features."""
        return (self.discriminator, self.head)

    def heads(self, batch: Batch, progress: Progress) -> Heads:
        """-lambda L_I(G, Q), on both sides; what the categories of real samples are to be like, on the judges'."""

        def information(features: Tensor) -> Terms:
            return self._information(features, batch)

        def clusters(features: Tensor) -> Terms:
            return self.config.clusters.terms(batch[X], self.head(features).categorical, self._read)

        on_real = clusters if self.config.clusters.asks else no_heads
        return Heads(on_real=on_real, on_fake=information, for_generator=information)

    def _read(self, x: Tensor) -> tuple[Tensor, ...]:
        """The logits of each categorical code."""
        return self.head(self.discriminator.features(x)).categorical

    def _information(self, features: Tensor, batch: Batch) -> Terms:
        """-lambda L_I of the two kinds of codes; the bound of categorical codes is noted in nats."""
        said, config = self.head(features), self.config
        terms: dict[str, Tensor] = {}
        if config.codes.categories:
            pairs = zip(said.categorical, self._categories(batch).unbind(dim=1), strict=True)
            bound = torch.stack([categorical_information(logits, drawn) for logits, drawn in pairs]).sum()
            batch.note("information_nats", bound)
            terms["category"] = -config.category_weight * bound
        if config.codes.continuous:
            bound = continuous_information(said.continuous, self._continuous(batch))
            terms["code"] = -config.code_weight * bound
        return terms

    def make(self, batch: Batch) -> Tensor:
        """Samples out of the batch's noise and codes."""
        categories = self._categories(batch).unbind(dim=1)
        return self.generator(self.config.codes.behind(self.noise_of(batch), categories, self._continuous(batch)))

    def _categories(self, batch: Batch) -> Tensor:
        codes, x = self.config.codes, batch[X]
        return batch.share("categories", (), lambda: codes.draw_categories(len(x), x.device))

    def _continuous(self, batch: Batch) -> Tensor:
        codes, x = self.config.codes, batch[X]
        return batch.share("continuous", (), lambda: codes.draw_continuous(len(x), x.device))

    def deploys(self) -> dict[str, Deploy]:
        """The generator with ports for its codes, and Q, which reads codes from samples."""
        x, codes = sample_port(self.spec), self.config.codes
        generate = Deploy(
            module=FromCodes(generator=self.generator, codes=codes),
            networks=(self.generator,),
            task="generate",
            inputs=(self.config.noise.port(), *codes.input_ports()),
            outputs=(x,),
        )
        classify = Deploy(
            module=Classify(discriminator=self.discriminator, head=self.head),
            networks=(self.discriminator, self.head),
            task="encode",
            inputs=(x,),
            outputs=codes.output_ports(),
        )
        return {"generate": generate, "classify": classify}


class FromCodes(nn.Module):
    """G(z, c) of the tensors of the ports: noise, categorical codes as N integers each, continuous codes."""

    def __init__(self, *, generator: LatentGenerator, codes: CodesConfig) -> None:
        super().__init__()
        self.generator, self.codes = generator, codes

    def forward(self, z: Tensor, *given: Tensor) -> Tensor:
        """Samples, N x *shape."""
        count = len(self.codes.categories)
        continuous = given[count] if self.codes.continuous else None
        return self.generator(self.codes.behind(z, given[:count], continuous))


class Classify(nn.Module):
    """Q(c | x): samples to the probabilities of each categorical code's values, and the continuous codes' means."""

    def __init__(self, *, discriminator: SampleDiscriminator, head: CodeHead) -> None:
        super().__init__()
        self.discriminator, self.head = discriminator, head

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """N x K a categorical code, then N x C where there are continuous ones."""
        said = self.head(self.discriminator.features(x))
        scores = tuple(logits.softmax(dim=1) for logits in said.categorical)
        return (*scores, said.continuous) if said.continuous.shape[1] else scores
