"""A small convolutional classifier of labelled pictures, trained apart from any generator, to judge what they make."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.moving import moved

OnProgress = Callable[[int, int], None]
"""Called with the steps done and all steps."""

_PICTURES_AT_ONCE = 500
_NARROWEST = 16


@dataclass(frozen=True, kw_only=True)
class ClassifierTraining:
    """How a classifier is trained. The defaults take 20 seconds for 28 px on one core."""

    steps: int = 1000
    """Steps of the optimiser."""

    batch: int = 128
    """Pictures a step, at most as many as there are."""

    learning_rate: float = 4e-3
    """The peak of AdamW's learning rate, which rises and then falls to nothing (one cycle)."""

    weight_decay: float = 0.02
    """AdamW's decay."""

    shift_px: int = 2
    """Pictures are moved by up to so many pixels, which stands for more training pictures."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """The share of pictures that are classed as wanted, with its standard error; `by_class` is NaN for absent ones."""

    share: float
    pictures: int
    by_class: tuple[float, ...]

    @property
    def standard_error(self) -> float:
        """Of the share, over pictures: sqrt(p (1 - p) / N)."""
        return (self.share * (1 - self.share) / self.pictures) ** 0.5

    def __str__(self) -> str:
        return f"{self.share:.2%} ± {self.standard_error:.2%} of {self.pictures} pictures"


class ClassifierNetwork(nn.Module):
    """Three convolutions with batch norm, each followed by a halving, and a linear layer over their mean.

    Args:
        channels: Of the pictures.
        classes: How many there are.
    """

    def __init__(self, *, channels: int, classes: int) -> None:
        super().__init__()
        widths = [channels, _NARROWEST, 2 * _NARROWEST, 4 * _NARROWEST]
        self.features = nn.Sequential(*(_stage(a, b) for a, b in pairwise(widths)))
        self.head = nn.Linear(4 * widths[-1], classes)

    def embed(self, pictures: Tensor) -> Tensor:
        """N x C x H x W in [-1, 1], at least 8 px a side, to N x 256 features."""
        return functional.adaptive_avg_pool2d(self.features(pictures), 2).flatten(1)

    def forward(self, pictures: Tensor) -> Tensor:
        """N x C x H x W in [-1, 1] to N x classes raw scores."""
        return self.head(self.embed(pictures))


class Classifier:
    """A trained classifier, in evaluation mode, that takes any number of pictures.

    Args:
        network: Its weights.
        classes: How many it tells apart.
    """

    def __init__(self, network: ClassifierNetwork, *, classes: int) -> None:
        self.network = network.eval()
        self.classes = classes

    def predict(self, pictures: Tensor) -> Tensor:
        """The classes of N x C x H x W pictures in [-1, 1]: N integers, on the CPU."""
        return self._all(self.network, pictures).argmax(dim=1)

    def embed(self, pictures: Tensor) -> Tensor:
        """What the classifier sees, before it decides: N x 256, on the CPU."""
        return self._all(self.network.embed, pictures)

    def accuracy(self, pictures: Tensor, labels: Tensor) -> Accuracy:
        """How many pictures are classed as `labels` say. Raises ConfigurationError if there are none."""
        _require_labelled(pictures, labels, self.classes)
        right = (self.predict(pictures) == labels.cpu()).double()
        by_class = tuple(float(right[labels.cpu() == label].mean()) for label in range(self.classes))
        return Accuracy(share=float(right.mean()), pictures=len(right), by_class=by_class)

    @torch.no_grad()
    def _all(self, function: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        return torch.cat([function(part.to(device).float()).cpu() for part in pictures.split(_PICTURES_AT_ONCE)])


def fit_classifier(
    pictures: Tensor,
    labels: Tensor,
    *,
    classes: int,
    training: ClassifierTraining | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    on_progress: OnProgress | None = None,
) -> Classifier:
    """Train a classifier from nothing; the same seed gives the same weights, and no global random state is moved.

    Args:
        pictures: N x C x H x W in [-1, 1], at least 8 px a side.
        labels: N classes, 0 to `classes` - 1.
        classes: How many there are; some may be absent.
        training: How it is trained.
        seed: Of the weights and of the order of pictures.
        device: Where it is trained; the CPU by default.
        on_progress: Called after each step.

    Raises:
        ConfigurationError: No pictures, labels that are not one a picture, or labels outside the classes.
    """
    _require_labelled(pictures, labels, classes)
    training = training or ClassifierTraining()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed reseeds GPUs too, which nothing puts back
        network = ClassifierNetwork(channels=pictures.shape[1], classes=classes)
    network.to(device or torch.device("cpu")).train()
    _train(network, pictures, labels, training, torch.Generator().manual_seed(seed), on_progress)
    return Classifier(network, classes=classes)


def _train(
    network: ClassifierNetwork,
    pictures: Tensor,
    labels: Tensor,
    training: ClassifierTraining,
    draw: torch.Generator,
    on_progress: OnProgress | None,
) -> None:
    device = next(network.parameters()).device
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, foreach=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, training.learning_rate, total_steps=training.steps)
    order = torch.empty(0, dtype=torch.long)
    for step in range(training.steps):
        if len(order) < min(training.batch, len(pictures)):
            order = torch.randperm(len(pictures), generator=draw)
        chosen, order = order[: training.batch], order[training.batch :]
        batch = _shifted(pictures[chosen].float(), training.shift_px, draw).to(device)
        optimiser.zero_grad()
        functional.cross_entropy(network(batch), labels[chosen].to(device)).backward()
        optimiser.step()
        schedule.step()
        if on_progress:
            on_progress(step + 1, training.steps)


def _shifted(pictures: Tensor, shift_px: int, draw: torch.Generator) -> Tensor:
    offsets = torch.randint(2 * shift_px + 1, (2, len(pictures)), generator=draw)
    return moved(pictures, offsets, most_px=shift_px)


def _stage(narrow: int, wide: int) -> nn.Sequential:
    convolution = nn.Conv2d(narrow, wide, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(wide), nn.ReLU(), nn.MaxPool2d(2))


def _require_labelled(pictures: Tensor, labels: Tensor, classes: int) -> None:
    if pictures.ndim != 4 or len(pictures) == 0 or labels.shape != pictures.shape[:1]:
        raise ConfigurationError(
            f"A classifier needs labelled pictures, these are {tuple(pictures.shape)} with labels of shape "
            f"{tuple(labels.shape)}: give N x C x H x W and N, and at least one"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ConfigurationError(
            f"Labels from {low} to {high} do not fit {classes} classes: number them from 0 to {classes - 1}"
        )
