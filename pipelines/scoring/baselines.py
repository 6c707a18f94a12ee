"""Which trivial answers a model is held against: those that make sense for its pictures, fitted on training ones."""

import numpy as np
import torch
from torch import Tensor

from pipelines.scoring.heldout import HeldOut, TensorTranslation
from translate.card import Mask, Picture, PicturePort
from translate.data.tensors import assemble, to_uint8
from translate.metrics.baselines import (
    Baseline,
    ColourInsideLines,
    GlobalColourTransfer,
    HistogramTransfer,
    Identity,
    Pixels,
)
from translate.metrics.baselines_made import BorderMean, Enlarged, Inpainted, MeanColour

_COLOURS = {1, 3}
# A picture is line art where nearly all pixels are paper or line: photographs have greys and colours between.
_PAPER_OR_LINE = 0.85
_NEAR_LEVELS = 40


def fitting_baselines(training: HeldOut, source: str, target: str) -> list[Baseline]:
    """The baselines for translating `source` to `target`; none where they are no plain grey or RGB pictures.

    Where `source` has a mask, those that fill holes; where `target` is larger by a whole number, those that enlarge.
    """
    if not _is_plain(training.ports[target]):
        return []
    ports = training.ports[source]
    if _is_plain(ports[:-1]) and isinstance(ports[-1], Mask):
        return [Inpainted(kind="Telea"), Inpainted(kind="Navier-Stokes"), BorderMean()]
    if not _is_plain(ports):
        return []
    scale = _enlargement(training, source, target)
    if scale == 1:
        return _of_colours(training, source, target)
    return [Enlarged(scale=scale, kernel="bicubic"), Enlarged(scale=scale, kernel="Lanczos")] if scale > 1 else []


def as_translation(baseline: Baseline, held_out: HeldOut, source: str, target: str) -> TensorTranslation:
    """The baseline as a function of tensors, as a network is one: of the stacked ports of `source`."""
    source_ports, (target_port,) = held_out.ports[source], held_out.ports[target]
    channels = [port.channels for port in source_ports]

    def translate(pictures: Tensor) -> Tensor:
        parts = zip(pictures.split(channels, dim=1), source_ports, strict=True)
        stacked = np.concatenate([to_uint8(part, port) for part, port in parts], axis=3)
        answers = np.stack([baseline(picture) for picture in stacked])
        if target_port.channels == 1:
            answers = answers.mean(axis=3, keepdims=True).round().astype(np.uint8)
        batch = torch.from_numpy(answers).permute(0, 3, 1, 2)
        return assemble((target_port,), {target_port.name: batch}, pictures.device)

    return translate


def _of_colours(training: HeldOut, source: str, target: str) -> list[Baseline]:
    """Those that change colours alone."""
    inputs, targets = _pictures(training, source), _pictures(training, target)
    baselines: list[Baseline] = [
        Identity(),
        GlobalColourTransfer.fit(inputs, targets),
        HistogramTransfer.fit(inputs, targets),
    ]
    if training.ports[source][0].channels < training.ports[target][0].channels:
        baselines.append(MeanColour.fit(targets))
    if training.paired and _is_line_art(inputs):
        baselines.append(ColourInsideLines.fit(inputs, targets, statistic="mean"))
        baselines.append(ColourInsideLines.fit(inputs, targets, statistic="median"))
    return baselines


def _is_plain(ports: tuple[PicturePort, ...]) -> bool:
    return len(ports) == 1 and isinstance(ports[0], Picture) and ports[0].channels in _COLOURS


def _enlargement(training: HeldOut, source: str, target: str) -> int:
    """How often the source's sides go into the target's; 0 where it is the larger one."""
    (source_port,), (target_port,) = training.ports[source], training.ports[target]
    return training.arrays[target_port.name].shape[-1] // training.arrays[source_port.name].shape[-1]


def _pictures(held_out: HeldOut, domain: str) -> list[Pixels]:
    return [held_out.pixels(domain, index) for index in range(held_out.size(domain))]


def _is_line_art(pictures: list[Pixels]) -> bool:
    sample = np.concatenate([picture.ravel() for picture in pictures[:50]])
    return float(((sample < _NEAR_LEVELS) | (sample > 255 - _NEAR_LEVELS)).mean()) > _PAPER_OR_LINE
