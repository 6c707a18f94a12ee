"""How much the pictures of one class differ, beside real ones of that class: AC-GAN's known failure.

Odena et al. 2017 ("Conditional image synthesis with auxiliary classifier GANs", section 4.2): the mean MS-SSIM of
random pairs of one class, where less is more diverse. MS-SSIM has five scales and needs pictures of 176 px; on
smaller ones plain SSIM is taken and named so. The distance of embeddings works at any size and sees what pixels cannot.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from translate.errors import ConfigurationError
from translate.metrics.pairwise import ssim

MS_SSIM_SHORTEST_SIDE_PX = 176
"""Five scales and a window of 11 px: 176 / 2^4 = 11."""

PAIRS = 100
"""What the paper draws for each class."""

_PAIRS_AT_ONCE = 50


class Embeds(Protocol):
    """What turns pictures into vectors: a classifier that was trained apart, or a frozen network."""

    def embed(self, pictures: Tensor, /) -> Tensor:
        """N x C x H x W in [-1, 1] to N x D."""
        ...


@dataclass(frozen=True, kw_only=True)
class ClassDiversity:
    """The mean over random pairs of one class, of samples (`made`) and of real pictures (`real`).

    `share` is how diverse samples are beside real pictures: 1 is as much, 0 is one picture over and over.
    """

    label: int
    made: float
    real: float
    share: float


@dataclass(frozen=True, kw_only=True)
class DiversityOfClasses:
    """All classes that have two samples and two real pictures, and what was measured ("MS-SSIM", "SSIM", ...)."""

    measure: str
    classes: tuple[ClassDiversity, ...]

    @property
    def mean_share(self) -> float:
        """The mean of `share` over the classes; NaN without classes."""
        return sum(one.share for one in self.classes) / len(self.classes) if self.classes else float("nan")

    def __str__(self) -> str:
        least = min(self.classes, key=lambda one: one.share, default=None)
        weakest = f", least in class {least.label} ({least.share:.0%})" if least else ""
        return f"{self.mean_share:.0%} of the diversity of real classes by {self.measure}{weakest}"


def similarity_of_classes(
    samples: Tensor, asked: Tensor, real: Tensor, labels: Tensor, *, pairs: int = PAIRS, seed: int = 0
) -> DiversityOfClasses:
    """Structural similarity within each class; `share` is (1 - made) / (1 - real).

    Args:
        samples: N x C x H x W in [-1, 1], at least 11 px a side.
        asked: Their N classes.
        real: M x C x H x W of the same size.
        labels: Their M classes.
        pairs: Pairs that are drawn for each class and side.
        seed: Draws the pairs.

    Raises:
        ConfigurationError: The pictures of the two sides differ in size, or are smaller than the window.
    """
    _require_one_size(samples, real)
    multiscale = min(samples.shape[-2:]) >= MS_SSIM_SHORTEST_SIDE_PX
    compare = _ms_ssim if multiscale else ssim
    ours = _means(samples, asked, compare, pairs, seed)
    theirs = _means(real, labels, compare, pairs, seed)
    return DiversityOfClasses(
        measure="MS-SSIM" if multiscale else "SSIM",
        classes=tuple(_one(label, ours[label], theirs[label], ceiling=1.0) for label in sorted(ours.keys() & theirs)),
    )


def distance_of_classes(
    samples: Tensor,
    asked: Tensor,
    real: Tensor,
    labels: Tensor,
    *,
    network: Embeds,
    name: str,
    pairs: int = PAIRS,
    seed: int = 0,
) -> DiversityOfClasses:
    """Euclidean distance of embeddings within each class; `share` is made / real.

    Args:
        samples: N x C x H x W in [-1, 1].
        asked: Their N classes.
        real: M x C x H x W.
        labels: Their M classes.
        network: Embeds pictures; it had no part in training the generator.
        name: What the embedding is called in a report.
        pairs: Pairs that are drawn for each class and side.
        seed: Draws the pairs.
    """
    ours = _means(network.embed(samples), asked, _distance, pairs, seed)
    theirs = _means(network.embed(real), labels, _distance, pairs, seed)
    return DiversityOfClasses(
        measure=f"distance of {name} embeddings",
        classes=tuple(_one(label, ours[label], theirs[label], ceiling=0.0) for label in sorted(ours.keys() & theirs)),
    )


def _one(label: int, made: float, real: float, *, ceiling: float) -> ClassDiversity:
    """`ceiling` is what equal pictures have: 1 for a similarity, 0 for a distance."""
    least = torch.finfo(torch.float32).eps
    return ClassDiversity(
        label=label, made=made, real=real, share=abs(ceiling - made) / max(abs(ceiling - real), least)
    )


def _means(
    things: Tensor, labels: Tensor, compare: Callable[[Tensor, Tensor], Tensor], pairs: int, seed: int
) -> dict[int, float]:
    """The mean of `compare` over random pairs of different members of each class that has two."""
    draw = torch.Generator().manual_seed(seed)
    found: dict[int, float] = {}
    for label in map(int, labels.unique()):
        members = (labels == label).nonzero().squeeze(1)
        if len(members) >= 2:
            first, second = _random_pairs(len(members), pairs, draw)
            left, right = things[members[first]], things[members[second]]
            chunks = zip(left.split(_PAIRS_AT_ONCE), right.split(_PAIRS_AT_ONCE), strict=True)
            found[label] = float(torch.cat([compare(a, b) for a, b in chunks]).mean())
    return found


def _random_pairs(count: int, pairs: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """`pairs` pairs of different numbers below `count`; one pair may come twice."""
    first = torch.randint(count, (pairs,), generator=draw)
    return first, (first + torch.randint(1, count, (pairs,), generator=draw)) % count


def _distance(first: Tensor, second: Tensor) -> Tensor:
    return (first.float() - second.float()).norm(dim=1)


def _ms_ssim(first: Tensor, second: Tensor) -> Tensor:
    """Wang et al. 2003, taken on [0, 1] as `ssim` is; N numbers."""
    made, real = ((pictures.float().clamp(-1, 1) + 1) / 2 for pictures in (first, second))
    return multiscale_structural_similarity_index_measure(made, real, data_range=(0.0, 1.0), reduction="none")


def _require_one_size(samples: Tensor, real: Tensor) -> None:
    if samples.shape[1:] != real.shape[1:]:
        raise ConfigurationError(
            f"Samples of shape {tuple(samples.shape)} cannot be compared with real pictures of shape "
            f"{tuple(real.shape)}: give both the same size and channels"
        )
