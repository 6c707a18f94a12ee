"""Which trivial answers a model is held against: those that make sense for its pictures, fitted on training ones."""

import numpy as np
import torch
from torch import Tensor

from pipelines.scoring.heldout import HeldOut, TensorTranslation
from translate.card import Picture
from translate.data.tensors import assemble, to_uint8
from translate.metrics.baselines import (
    Baseline,
    ColourInsideLines,
    GlobalColourTransfer,
    HistogramTransfer,
    Identity,
    Pixels,
)

_COLOURS = {1, 3}
# A picture is line art where nearly all pixels are paper or line: photographs have greys and colours between.
_PAPER_OR_LINE = 0.85
_NEAR_LEVELS = 40


def fitting_baselines(training: HeldOut, source: str, target: str) -> list[Baseline]:
    """The baselines for translating `source` to `target`; none where they are no plain grey or RGB pictures."""
    if not (_is_plain(training, source) and _is_plain(training, target)):
        return []
    inputs, targets = _pictures(training, source), _pictures(training, target)
    baselines: list[Baseline] = [
        Identity(),
        GlobalColourTransfer.fit(inputs, targets),
        HistogramTransfer.fit(inputs, targets),
    ]
    if training.paired and _is_line_art(inputs):
        baselines.append(ColourInsideLines.fit(inputs, targets, statistic="mean"))
        baselines.append(ColourInsideLines.fit(inputs, targets, statistic="median"))
    return baselines


def as_translation(baseline: Baseline, held_out: HeldOut, source: str, target: str) -> TensorTranslation:
    """The baseline as a function of tensors, as a network is one."""
    (source_port,), (target_port,) = held_out.ports[source], held_out.ports[target]

    def translate(pictures: Tensor) -> Tensor:
        answers = np.stack([baseline(picture) for picture in to_uint8(pictures, source_port)])
        if target_port.channels == 1:
            answers = answers.mean(axis=3, keepdims=True).round().astype(np.uint8)
        batch = torch.from_numpy(answers).permute(0, 3, 1, 2)
        return assemble((target_port,), {target_port.name: batch}, pictures.device)

    return translate


def _is_plain(pictures: HeldOut, domain: str) -> bool:
    ports = pictures.ports[domain]
    return len(ports) == 1 and isinstance(ports[0], Picture) and ports[0].channels in _COLOURS


def _pictures(held_out: HeldOut, domain: str) -> list[Pixels]:
    return [held_out.pixels(domain, index) for index in range(held_out.size(domain))]


def _is_line_art(pictures: list[Pixels]) -> bool:
    sample = np.concatenate([picture.ravel() for picture in pictures[:50]])
    return float(((sample < _NEAR_LEVELS) | (sample > 255 - _NEAR_LEVELS)).mean()) > _PAPER_OR_LINE
