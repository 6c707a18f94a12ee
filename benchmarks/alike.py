"""The same weights in two implementations of one network: their parameters have one order and one set of shapes."""

from collections.abc import Mapping

import torch
from torch import nn


@torch.no_grad()
def copy_weights(source: Mapping[str, nn.Module], target: Mapping[str, nn.Module]) -> None:
    """Give the networks of `target` the parameters of those of `source`, by name and then by order.

    Raises ValueError where names, counts or shapes differ.
    """
    for name in source.keys() | target.keys():
        given, taken = list(source[name].parameters()), list(target[name].parameters())
        for one, other in zip(given, taken, strict=True):
            if one.shape != other.shape:
                raise ValueError(f"{name}: a parameter is {tuple(one.shape)} here and {tuple(other.shape)} there")
            other.copy_(one)


@torch.no_grad()
def largest_difference(one: Mapping[str, nn.Module], other: Mapping[str, nn.Module]) -> float:
    """Of any weight, over networks with the same names."""
    return max(
        float((left.double() - right.double()).abs().max())
        for name in one
        for left, right in zip(one[name].parameters(), other[name].parameters(), strict=True)
    )
