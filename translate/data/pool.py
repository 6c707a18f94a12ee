"""A pool of earlier fakes for the discriminator (Shrivastava et al. 2017, section 2.3; CycleGAN's 50 pictures)."""

import torch
from torch import Tensor, nn


class ReplayPool(nn.Module):
    """Keeps up to `capacity` pictures of one size. Its content is state: it is saved and loaded with the rest."""

    def __init__(self, *, capacity: int, channels: int, height_px: int, width_px: int) -> None:
        super().__init__()
        self.pictures: Tensor
        self.filled: Tensor
        self.register_buffer("pictures", torch.zeros(capacity, channels, height_px, width_px))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchange(self, fakes: Tensor) -> Tensor:
        """For each fake, half of the time itself, else an earlier one whose place it takes.

        Until the pool is full every fake is stored and given back. A pool of capacity 0 gives the fakes back.
        What is not finite is given back and never stored, so that a bad step leaves nothing behind.
        """
        if len(self.pictures) == 0:
            return fakes
        return torch.stack([self._exchange_one(fake) for fake in fakes.float()])

    def _exchange_one(self, fake: Tensor) -> Tensor:
        """One fake's exchange, decided on the device: a branch here would make the host wait for it."""
        coin, where = torch.rand(2, device=fake.device).unbind()
        finite, full = fake.isfinite().all(), self.filled == len(self.pictures)
        place = torch.where(full, (where * self.filled).long().clamp(max=len(self.pictures) - 1), self.filled)
        earlier = self.pictures.index_select(0, place.view(1))[0]
        swapped = finite & full & (coin >= 0.5)
        stored = swapped | (finite & ~full)
        self.pictures.index_copy_(0, place.view(1), torch.where(stored, fake, earlier)[None])
        self.filled += finite & ~full
        return torch.where(swapped, earlier, fake)
