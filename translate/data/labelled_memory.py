"""The few labelled samples of a run, kept so that every batch can learn from them."""

import torch
from torch import Tensor, nn

from translate.errors import require
from translate.unlabelled import UNLABELLED


class LabelledMemory(nn.Module):
    """Keeps the labelled samples that came last, up to `capacity`. Its content is state: it is saved and loaded.

    Where 10 of 1000 samples have a label, most batches hold none, and the supervised term would be noise. Semi-
    supervised methods draw a full batch of labelled samples a step (Salimans et al. 2016, published code).

    Args:
        capacity: at least the number of labelled samples, and better several times as many: then all are there.
        shape: of one sample, (C, H, W) or (D,).
    """

    samples: Tensor
    labels: Tensor
    written: Tensor
    """How many samples came in so far."""

    def __init__(self, *, capacity: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        require(capacity >= 1, "config.memory", capacity, "1 or more")
        self.register_buffer("samples", torch.zeros(capacity, *shape))
        self.register_buffer("labels", torch.full((capacity,), UNLABELLED, dtype=torch.int64))
        self.register_buffer("written", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def gather(self, samples: Tensor, labels: Tensor) -> None:
        """Take in those of N samples that have a label; they take the places of the oldest."""
        known = labels != UNLABELLED
        new, of_new = samples[known][-len(self.labels) :], labels[known][-len(self.labels) :]
        places = (self.written + torch.arange(len(new), device=self.written.device)) % len(self.labels)
        self.samples[places] = new.to(self.samples.dtype)
        self.labels[places] = of_new
        self.written += len(new)

    @torch.no_grad()
    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """`count` samples with their labels, each any of those kept; while there are none, blank ones without label."""
        filled = min(max(int(self.written), 1), len(self.labels))
        chosen = torch.randint(filled, (count,), device=self.labels.device)
        return self.samples[chosen], self.labels[chosen]
