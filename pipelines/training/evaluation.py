"""Evaluation of networks in the midst of a run: nothing that training goes by is touched."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from translate.method import Batch, Method
from translate.metrics.health_discriminator import DiscriminatorScores


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
    """Each discriminator's scores of a batch of held-out samples and of what the generators make."""
    with evaluating(method):
        scored = method.scores(batch)
    return [
        DiscriminatorScores(discriminator=name, held_out_real=_flat(pair.real), fake=_flat(pair.fake))
        for name, pair in scored.items()
    ]


def _flat(scales: Sequence[Tensor]) -> np.ndarray:
    return np.concatenate([scores.float().cpu().numpy().ravel() for scores in scales])
