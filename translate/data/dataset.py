"""What the stream reads: anything that gives whole batches by address."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from translate.data.quarantine import Refusal

Address = tuple[int, int]
"""Epoch and index of a sample, both from 0."""

Collated = tuple[dict[str, Tensor], list[Refusal]]
"""Tensors by port name with a leading batch axis, and the pictures that were refused on the way.

No tensors at all: too many pictures in a row could not be read, and the run should stop.
"""


class BatchSource(Protocol):
    """A split of a data set that gives whole batches: from files one by one, from memory in one gather."""

    @property
    def tolerated(self) -> int:
        """How many pictures may turn out bad before a run stops."""
        ...

    def __len__(self) -> int:
        """Samples in an epoch."""
        ...

    def __getitems__(self, addresses: Sequence[Address]) -> Collated:
        """The samples at these addresses, in their order; torch's DataLoader asks by this name."""
        ...


def read_tensors(
    source: BatchSource, indices: Sequence[int] | None = None, *, batch_size: int = 256
) -> dict[str, Tensor]:
    """Samples in memory, by port name: those at `indices`, or all of them, as epoch 0 shows them.

    Meant for held-out data, that is for sources with `training=False`, which draw nothing.

    Raises:
        PictureError: for a picture that cannot be read.
    """
    wanted = list(range(len(source)) if indices is None else indices)
    starts = range(0, len(wanted), batch_size)
    parts = [source.__getitems__([(0, index) for index in wanted[start : start + batch_size]])[0] for start in starts]
    return {name: torch.cat([part[name] for part in parts]) for name in (parts[0] if parts else {})}
