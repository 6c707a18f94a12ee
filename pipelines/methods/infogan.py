"""InfoGAN: codes beside the noise, of which a head on the discriminator must find again what they were.

Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel, "InfoGAN: Interpretable Representation Learning by Information
Maximizing Generative Adversarial Nets", NeurIPS 2016, https://arxiv.org/abs/1606.03657.

    min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q),   L_I = E log Q(c | G(z, c)) + H(c) <= I(c; G(z, c))  (5, 6)

Nobody says what a code means: on digits the categorical one comes to mean the digit, the continuous ones slant and
width. As in the published code, the discriminator takes part in maximising L_I, since Q stands on its features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from translate.card import Label, Latent, Port, Vector
from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import OneDomain, X
from translate.deploy import sample_port
from translate.errors import ConfigurationError, require
from translate.from_noise import FromNoiseConfig
from translate.game import Game
from translate.losses.information import categorical_information, continuous_information
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.heads import CodeHead
from translate.networks.latent_generators import LatentGenerator
from translate.networks.sample_discriminators import SampleDiscriminator
from translate.noise import Noise
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class InfoGAN(Method):
    """Learns to make samples out of noise and codes that come to mean something, without labels."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """The paper's codes for MNIST (appendix C.1), on DCGAN's networks; the paper's have a dense layer more."""

        noise: Noise = field(default_factory=lambda: Noise(size=62, distribution="uniform"))
        """What the generator starts from beside the codes: what they do not say."""
        categories: tuple[int, ...] = (10,)
        """Categorical codes, each by its number of values."""
        codes: int = 2
        """Continuous codes, uniform in [-1, 1]."""
        head: tuple[int, ...] = (128,)
        """Widths of the hidden layers of Q."""
        category_weight: float = 1.0
        """Weight of the information in categorical codes, lambda in the paper."""
        code_weight: float = 0.1
        """The same of continuous codes."""

        def __post_init__(self) -> None:
            """Refuse packs, whose samples have different codes, and codes that are none."""
            FromNoiseConfig.__post_init__(self)
            require(
                all(size >= 2 for size in self.categories), "config.categories", self.categories, "2 values or more"
            )
            require(self.codes >= 0, "config.codes", self.codes, "0 or more")
            require(bool(self.categories) or self.codes > 0, "config.codes", self.codes, "at least one code of a kind")
            if self.discriminator.packing > 1:
                raise ConfigurationError(
                    f"--config.discriminator.packing {self.discriminator.packing}: the codes are read from the "
                    "features of one sample: choose 1"
                )

    config: Config

    def __init__(self, config: Config, spec: SampleSpec) -> None:
        super().__init__(config, spec)
        shape = spec.shape(X)
        self.generator = config.generator.build(shape, config.noise.size + sum(config.categories) + config.codes)
        self.discriminator = config.discriminator.build(shape)
        self.head = CodeHead(
            features=self.discriminator.feature_size,
            categorical=config.categories,
            continuous=config.codes,
            widths=config.head,
        )
        self.game: Game = config.game.build(shape)

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
            augmentation=Augmentation(load_px=32, crop_px=32, flip=False),
            batch_size=128,
            schedule=Schedule(shape="constant"),
            validation=Validation(best="kid", most=500),
        )

    def turns(self) -> tuple[Turn, ...]:
        """The discriminator with Q on its features, then the generator."""
        steps = self.config.game.discriminator_steps
        readers = (self.discriminator, self.head)
        return (
            Turn(name="discriminator", trains=readers, loss=self.discriminator_loss, repeats=steps),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss),
        )

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """-V(D, G) - lambda L_I(G, Q)."""
        terms, watched = self.game.discriminator_terms(
            self.discriminator,
            batch[X],
            self._fake(batch),
            progress,
            on_fake=lambda features: self._information(features, batch),
        )
        for name, value in watched.items():
            batch.note(name, value)
        return terms

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """V(D, G), as the objective has it, - lambda L_I(G, Q)."""
        return self.game.generator_terms(
            self.discriminator,
            batch[X],
            self._fake(batch),
            progress,
            on_fake=lambda features: self._information(features, batch),
        )

    def _information(self, features: Tensor, batch: Batch) -> Terms:
        """-lambda L_I of the two kinds of codes; the bound of categorical codes is noted in nats."""
        said, config = self.head(features), self.config
        terms: dict[str, Tensor] = {}
        if config.categories:
            pairs = zip(said.categorical, self._categories(batch).unbind(dim=1), strict=True)
            bound = torch.stack([categorical_information(logits, drawn) for logits, drawn in pairs]).sum()
            batch.note("information_nats", bound)
            terms["category"] = -config.category_weight * bound
        if config.codes:
            terms["code"] = -config.code_weight * continuous_information(said.continuous, self._codes(batch))
        return terms

    def _fake(self, batch: Batch) -> Tensor:
        return batch.share("fake", self.generator, lambda: self._make(batch))

    def _make(self, batch: Batch) -> Tensor:
        z = batch.share("z", (), lambda: self.config.noise.draw(len(batch[X]), batch[X].device))
        drawn = self._categories(batch).unbind(dim=1)
        return self.generator(joined(z, drawn, self._codes(batch), sizes=self.config.categories))

    def _categories(self, batch: Batch) -> Tensor:
        """N x number of categorical codes, int64."""
        count, device = len(batch[X]), batch[X].device
        sizes = torch.tensor(self.config.categories, device=device)
        return batch.share("categories", (), lambda: (torch.rand(count, len(sizes), device=device) * sizes).long())

    def _codes(self, batch: Batch) -> Tensor:
        """N x number of continuous codes, in [-1, 1]."""
        count, device = len(batch[X]), batch[X].device
        return batch.share("codes", (), lambda: torch.rand(count, self.config.codes, device=device) * 2.0 - 1.0)

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminator says of held-out samples, and of made ones."""
        real, fake = self.discriminator(batch[X]), self.discriminator(self._make(batch))
        return {"discriminator": Scored(real=[real], fake=[fake])}

    def deploys(self) -> dict[str, Deploy]:
        """The generator with ports for its codes, and Q, which reads codes from samples."""
        x = sample_port(self.spec)
        generate = Deploy(
            module=FromCodes(generator=self.generator, sizes=self.config.categories),
            networks=(self.generator,),
            task="generate",
            inputs=(self.config.noise.port(), *self._code_ports()),
            outputs=(x,),
        )
        classify = Deploy(
            module=Classify(discriminator=self.discriminator, head=self.head),
            networks=(self.discriminator, self.head),
            task="encode",
            inputs=(x,),
            outputs=self._read_ports(),
        )
        return {"generate": generate, "classify": classify}

    def _code_ports(self) -> tuple[Port, ...]:
        """The codes as users give them."""
        sizes, codes = self.config.categories, self.config.codes
        categories = tuple(Label(name=_numbered("category", i), classes=size) for i, size in enumerate(sizes))
        return (*categories, Latent(name="code", size=codes, distribution="uniform")) if codes else categories

    def _read_ports(self) -> tuple[Vector, ...]:
        """The codes as Q reads them."""
        sizes, codes = self.config.categories, self.config.codes
        scores = tuple(Vector(name=_numbered("scores", i), size=size) for i, size in enumerate(sizes))
        return (*scores, Vector(name="code", size=codes)) if codes else scores


class FromCodes(nn.Module):
    """G(z, c) of noise, one N of values for each categorical code, and the N x C continuous codes where there are."""

    def __init__(self, *, generator: LatentGenerator, sizes: Sequence[int]) -> None:
        super().__init__()
        self.generator = generator
        self.sizes = tuple(sizes)

    def forward(self, z: Tensor, *codes: Tensor) -> Tensor:
        """Samples, N x *shape."""
        count = len(self.sizes)
        continuous = codes[count] if len(codes) > count else z[:, :0]
        return self.generator(joined(z, codes[:count], continuous, sizes=self.sizes))


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


def joined(z: Tensor, categories: Sequence[Tensor], codes: Tensor, *, sizes: Sequence[int]) -> Tensor:
    """Noise, one-hot categorical codes and continuous codes as the generator takes them, one behind the other."""
    hot = [one_hot(drawn, size).to(z.dtype) for drawn, size in zip(categories, sizes, strict=True)]
    return torch.cat([z, *hot, codes], dim=1)


def _numbered(name: str, index: int) -> str:
    """The first code's name stands alone; further ones count from 2."""
    return f"{name}{index + 1}" if index else name
