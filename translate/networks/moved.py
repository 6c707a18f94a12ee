"""Pictures moved by a few pixels at random: the change under which almost any picture stays what it is."""

import torch
from torch import Tensor
from torch.nn import functional


def moved_at_random(pictures: Tensor, *, most_px: int) -> Tensor:
    """Each picture moved by up to `most_px` whole pixels either way, with what lies at the border repeated.

    Args:
        pictures: N x C x H x W; returned as they are where `most_px` is 0, and so are vectors then.
        most_px: the largest shift across and down; drawn from torch's global generator of the device.
    """
    if most_px == 0:
        return pictures
    count, _, height, width = pictures.shape
    padded = functional.pad(pictures, [most_px] * 4, mode="replicate")
    offsets = torch.randint(2 * most_px + 1, (2, count, 1), device=pictures.device)
    rows = offsets[0] + torch.arange(height, device=pictures.device)
    columns = offsets[1] + torch.arange(width, device=pictures.device)
    which = torch.arange(count, device=pictures.device)[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
