"""Scores translations: picture by picture where the truth is known, as a set where only real pictures are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pipelines.scoring.heldout import HeldOut, TensorTranslation
from pipelines.scoring.measures import JUDGE
from translate.card import LabelMap, PicturePort
from translate.data.domain import is_colours
from translate.metrics.distribution import EmbeddingCollector, Embeddings, frechet_distance, kernel_distance
from translate.metrics.labels import mean_iou, pixel_accuracy
from translate.metrics.pairwise import l1_levels, psnr_db, ssim
from translate.metrics.perceptual import PerceptualDistance
from translate.networks.efficientnet import EfficientNetLite

LEAST_FOR_SSIM_PX = 11
_LEAST_FOR_SETS = 4


@dataclass(frozen=True, kw_only=True)
class Score:
    """A figure with its standard error, over `pictures`."""

    value: float
    standard_error: float | None
    pictures: int


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What one translator scored: `overall` by measure, and where the truth is known `each` picture's figures."""

    overall: Mapping[str, Score]
    each: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])


class Judge:
    """Scores translations on one device, with a network that never trains anything."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._backbone = EfficientNetLite(variant="lite1").to(device)
        self._perceptual = PerceptualDistance(self._backbone, name=JUDGE)
        self._reals: dict[tuple[HeldOut, str], Embeddings] = {}

    @torch.inference_mode()
    def pairs(self, translate: TensorTranslation, held_out: HeldOut, source: str = "a", target: str = "b") -> Scores:
        """Scores of translations from `source` against the truth in `target`; needs paired pictures."""
        batches = zip(held_out.batches(source, self._device), held_out.batches(target, self._device), strict=True)
        ports = held_out.ports[target]
        parts = [self.each_pair(translate(pictures), truth, ports) for pictures, truth in batches]
        each = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return Scores(overall={name: mean_score(values) for name, values in each.items()}, each=each)

    def each_pair(self, outputs: Tensor, truths: Tensor, ports: tuple[PicturePort, ...]) -> dict[str, np.ndarray]:
        """The figures of each picture; those that need colours, labels or a larger picture are left out without."""
        figures = _of_labels(outputs, truths) if _is_label_map(ports) else self._of_pictures(outputs, truths, ports)
        return {name: values.cpu().numpy() for name, values in figures.items()}

    def _of_pictures(self, outputs: Tensor, truths: Tensor, ports: tuple[PicturePort, ...]) -> dict[str, Tensor]:
        figures: dict[str, Tensor] = {}
        if is_colours(ports):
            figures["perceptual"] = self._perceptual(outputs, truths)
        figures["l1"] = l1_levels(outputs, truths)
        figures["psnr"] = psnr_db(outputs, truths)
        if min(truths.shape[-2:]) >= LEAST_FOR_SSIM_PX:
            figures["ssim"] = ssim(outputs, truths)
        return figures

    @torch.inference_mode()
    def sets(self, translate: TensorTranslation, held_out: HeldOut, source: str = "a", target: str = "b") -> Scores:
        """Distances of all translations from `source` to all real pictures in `target`; none for few or odd ones."""
        few = min(held_out.size(source), held_out.size(target)) < _LEAST_FOR_SETS
        if few or not is_colours(held_out.ports[target]):
            return Scores(overall={})
        made = EmbeddingCollector(self._backbone)
        for pictures in held_out.batches(source, self._device):
            made.add(translate(pictures))
        return Scores(overall=_distances(made.embeddings(), self._real_embeddings(held_out, target)))

    @torch.inference_mode()
    def embedded(self, pictures: Iterable[Tensor]) -> Embeddings:
        """The vectors of N x C x H x W pictures, batch by batch."""
        collector = EmbeddingCollector(self._backbone)
        for part in pictures:
            collector.add(part)
        return collector.embeddings()

    def _real_embeddings(self, held_out: HeldOut, domain: str) -> Embeddings:
        if (held_out, domain) not in self._reals:
            real = EmbeddingCollector(self._backbone)
            for pictures in held_out.batches(domain, self._device):
                real.add(pictures)
            self._reals[held_out, domain] = real.embeddings()
        return self._reals[held_out, domain]


def distances(made: Embeddings, real: Embeddings) -> Scores:
    """Distances of made pictures to real ones, as sets; none where there are too few."""
    if min(len(made), len(real)) < _LEAST_FOR_SETS:
        return Scores(overall={})
    return Scores(overall=_distances(made, real))


def _distances(made: Embeddings, real: Embeddings) -> dict[str, Score]:
    kernel, frechet = kernel_distance(made, real), frechet_distance(made, real)
    return {
        "kid": Score(value=kernel.value, standard_error=kernel.standard_error, pictures=kernel.outputs),
        "frechet": Score(value=frechet.value, standard_error=None, pictures=frechet.outputs),
    }


def _of_labels(outputs: Tensor, truths: Tensor) -> dict[str, Tensor]:
    figures = {"iou": mean_iou(outputs, truths), "accuracy": pixel_accuracy(outputs, truths)}
    return {**figures, "l1": l1_levels(outputs, truths)}


def _is_label_map(ports: tuple[PicturePort, ...]) -> bool:
    return len(ports) == 1 and isinstance(ports[0], LabelMap)


def mean_score(values: np.ndarray) -> Score:
    """The mean of a figure of each sample."""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return Score(value=float(values.mean()), standard_error=error, pictures=len(values))
