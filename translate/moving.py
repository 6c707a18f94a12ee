"""Pictures moved by whole pixels: the change under which almost any picture stays what it is."""

import torch
from torch import Tensor
from torch.nn import functional


def moved(pictures: Tensor, offsets: Tensor, *, most_px: int) -> Tensor:
    """Each picture moved by its own offset, with what lies at the border repeated.

    Args:
        pictures: N x C x H x W.
        offsets: 2 x N integers on the pictures' device, of rows and of columns: where in the picture, enlarged by
            `most_px` on each side, the new one begins. From 0 to 2 most_px; most_px leaves it where it is.
        most_px: 0 or more.
    """
    count, _, height, width = pictures.shape
    padded = functional.pad(pictures, [most_px] * 4, mode="replicate")
    rows = offsets[0][:, None] + torch.arange(height, device=pictures.device)
    columns = offsets[1][:, None] + torch.arange(width, device=pictures.device)
    which = torch.arange(count, device=pictures.device)[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
