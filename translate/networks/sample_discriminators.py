"""Discriminators of whole samples, with or without labels: one raw score a sample, without a sigmoid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from translate.networks.choice import at_least, choose
from translate.networks.crowds import MinibatchDeviation, MinibatchDiscrimination
from translate.networks.labels import known_label
from translate.networks.packing import packed
from translate.networks.shapes import Shape
from translate.networks.trunks import SampleFeatures, TrunkConfig

Crowd = MinibatchDiscrimination | MinibatchDeviation


class SampleDiscriminator(nn.Module):
    """Scores N x *shape samples, packs of `packing` of them at once; high where they look real.

    `last` is linear on the features, and on what the `crowd` layer says of the batch. With a projection the score is
    <v(y), features> higher (Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637, equation 3), where v(y) is the
    sum over the labels of a pack.
    """

    def __init__(
        self,
        *,
        body: SampleFeatures,
        crowd: Crowd | None,
        last: nn.Module,
        projection: nn.Embedding | None,
        classes: int,
    ) -> None:
        super().__init__()
        self.body, self.crowd, self.last, self.projection = body, crowd, last, projection
        self.classes = classes

    @property
    def packing(self) -> int:
        """Samples that are judged together; batches are multiples of it."""
        return self.body.packing

    @property
    def feature_size(self) -> int:
        """F of `features`."""
        return self.body.size

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Scores, N / packing. Raises ConfigurationError for labels that are missing, or given where none are known."""
        return self.score(self.features(x, label), label)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """N / packing x F, what the score is linear in, before noise, dropout and the crowd layer."""
        return self.body(x, known_label(label, self.classes))

    def score(self, features: Tensor, label: Tensor | None = None) -> Tensor:
        """Scores, N / packing, of the features of N samples with these labels: so that heads can share one pass."""
        scores = self.last(features if self.crowd is None else self.crowd(features)).squeeze(1)
        label = known_label(label, self.classes)
        if self.projection is None or label is None:
            return scores
        directions = self.projection(packed(label[:, None], self.packing)).sum(dim=1)
        return scores + (directions * features).sum(dim=1)


@dataclass(frozen=True, kw_only=True)
class SampleDiscriminatorConfig(TrunkConfig):
    """A discriminator of whole samples."""

    condition: Literal["concatenate", "projection"] = "concatenate"
    """How it takes labels: their code beside the sample (as maps beside pictures); or the inner product of a learnt
    direction of the class with the features (Miyato and Koyama 2018)."""
    packing: int = 1
    """Samples that it judges at once, joined along their channels (PacGAN); batches must be multiples of it."""
    crowd: Literal["none", "discrimination", "deviation"] = "none"
    """How it compares the samples of a batch: minibatch discrimination (Salimans et al. 2016), or the minibatch
    standard deviation (Karras et al. 2018). It then mixes samples, as batch norm does."""
    crowd_kernels: int = 100
    """Discrimination: how many distances it appends."""
    crowd_dimensions: int = 5
    """Discrimination: numbers in the vectors whose distance is taken."""
    crowd_group: int = 4
    """Deviation: samples in a group; 0: the whole batch."""

    def build(self, shape: Shape, classes: int = 0) -> SampleDiscriminator:
        """The network with its first weights.

        Args:
            shape: of what it looks at, (C, H, W) or (D,).
            classes: of the labels that it is given; 0 for none.

        Raises:
            ConfigurationError: for a shape or a norm that the kind cannot take.
        """
        beside, projected = choose(_CONDITIONS, self.condition, "--config.discriminator.condition")(classes)
        body = self.features(shape, classes=beside, packing=self.packing)
        crowd = choose(_CROWDS, self.crowd, "--config.discriminator.crowd")(self, body.size)
        network = SampleDiscriminator(
            body=body,
            crowd=crowd,
            last=self.last(body.size + (crowd.extra if crowd is not None else 0), 1),
            projection=_projection(projected, body.size) if projected else None,
            classes=classes,
        )
        self.finish(network)
        return network


def _projection(classes: int, features: int) -> nn.Embedding:
    """Drawn by fan-in, as the score's layer is."""
    table = nn.Embedding(at_least(2, classes, "classes"), features)
    nn.init.normal_(table.weight, 0.0, features**-0.5)
    return table


def _no_crowd(_config: SampleDiscriminatorConfig, _features: int) -> None:
    return None


def _discrimination(config: SampleDiscriminatorConfig, features: int) -> Crowd:
    return MinibatchDiscrimination(features=features, kernels=config.crowd_kernels, dimensions=config.crowd_dimensions)


def _deviation(config: SampleDiscriminatorConfig, _features: int) -> Crowd:
    return MinibatchDeviation(group=config.crowd_group)


_CROWDS: Mapping[str, Callable[[SampleDiscriminatorConfig, int], Crowd | None]] = {
    "none": _no_crowd,
    "discrimination": _discrimination,
    "deviation": _deviation,
}
_CONDITIONS: Mapping[str, Callable[[int], tuple[int, int]]] = {
    "concatenate": lambda classes: (classes, 0),
    "projection": lambda classes: (0, classes),
}
"""Of all classes, those whose codes stand beside the sample, and those whose directions are projected on."""
