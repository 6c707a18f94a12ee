"""Evaluation of networks in the midst of a run: nothing that training goes by is touched."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from math import lcm

import numpy as np
import torch
from torch import Tensor, nn

from translate.method import Batch, Method
from translate.metrics.health_discriminator import DiscriminatorScores
from translate.networks.sample_discriminators import SampleDiscriminator


@contextmanager
def evaluating(module: nn.Module) -> Generator[None]:
    """Evaluation mode within the context, and every module's own mode again after it."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


@torch.no_grad()
def discriminator_scores(method: Method, batch: Batch) -> list[DiscriminatorScores]:
    """Each discriminator's scores of a batch of held-out samples and of what the generators make.

    What is drawn for it is put back: how often a run is validated changes no weight.
    """
    with evaluating(method), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        scored = method.scores(batch)
    return [
        DiscriminatorScores(discriminator=name, held_out_real=_flat(pair.real), fake=_flat(pair.fake))
        for name, pair in scored.items()
    ]


def judged_count(method: Method, most: int) -> int:
    """As many samples, up to `most`, as discriminators can take that look at several at once."""
    packs = [part.packing for part in method.networks().values() if isinstance(part, SampleDiscriminator)]
    step = lcm(*packs)
    return most // step * step


def _flat(scales: Sequence[Tensor]) -> np.ndarray:
    return np.concatenate([scores.float().cpu().numpy().ravel() for scores in scales])
