"""Pictures moved at random, against numpy's own rolling of numbered pixels."""

import numpy as np
import pytest
import torch

from translate.networks.moved import moved_at_random

MOST_PX = 2


def places(pictures: torch.Tensor, moved: torch.Tensor) -> list[tuple[int, int]]:
    """Where each picture went: the one shift under which its inner pixels are those of the original."""
    inner = slice(MOST_PX, -MOST_PX)
    found = []
    for before, after in zip(pictures.numpy(), moved.numpy(), strict=True):
        shifts = [(down, right) for down in range(-3, 4) for right in range(-3, 4)]
        fits = [
            s for s in shifts if np.array_equal(np.roll(before, s, (1, 2))[:, inner, inner], after[:, inner, inner])
        ]
        assert len(fits) == 1
        found += fits
    return found


def test_every_whole_shift_comes_and_none_beyond():
    torch.manual_seed(0)
    pictures = torch.rand(400, 2, 9, 7)
    found = places(pictures, moved_at_random(pictures, most_px=MOST_PX))
    every = {(down, right) for down in range(-MOST_PX, MOST_PX + 1) for right in range(-MOST_PX, MOST_PX + 1)}
    assert set(found) == every


def test_what_comes_in_repeats_the_border():
    torch.manual_seed(0)
    columns = torch.arange(5.0).expand(50, 1, 6, 5)
    rows = {tuple(row.tolist()) for row in moved_at_random(columns, most_px=1)[:, 0, 0]}
    assert rows == {(0, 0, 1, 2, 3), (0, 1, 2, 3, 4), (1, 2, 3, 4, 4)}


@pytest.mark.parametrize("shape", [(3, 1, 4, 4), (3, 2)])
def test_nothing_moves_by_nothing(shape):
    samples = torch.rand(shape)
    assert moved_at_random(samples, most_px=0) is samples
