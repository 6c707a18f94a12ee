"""How far a network sees, measured by the gradient of one output row."""

import torch
from torch import nn


def make_positive(network):
    """Every weight positive and every convolution an average: nothing dies, cancels or saturates."""
    for layer in network.double().eval().modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def seen_rows(network, size, row, channels=1):
    """First and last row of the input, `size` high and as narrow as may be, that row `row` of the output reads."""
    width = max(32, 2 * getattr(network, "at_least_px", 0))
    picture = torch.full((1, channels, size, width), 1e-6).double().requires_grad_()
    outputs = network(picture)
    gradient = torch.autograd.grad(outputs[0, 0, row].sum(), picture)[0]
    rows = (gradient != 0).any(dim=-1).any(dim=1).flatten().nonzero()
    return int(rows.min()), int(rows.max())


def measured_context(network, size, *, channels=1, scale=1, period=1):
    """The farthest that any of the output rows in the middle looks beyond its own place in the input."""
    middle = size // 2 // period * period
    reach = 0
    for place in range(scale * period):
        first, last = seen_rows(network, size, scale * middle + place, channels)
        home = middle + place // scale
        assert first > 0, "the picture is too small to measure it"
        assert last < size - 1, "the picture is too small to measure it"
        reach = max(reach, home - first, last - home)
    return reach
