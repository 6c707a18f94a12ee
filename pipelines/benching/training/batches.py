"""A batch of noise with the shapes, ranges and classes that a recipe's data set would give."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from translate.card import FixedPicture, Label, LabelMap, Mask, Picture, Port, Vector
from translate.data.domains import AUTO, OneDomain
from translate.data.making.maker import Maker
from translate.data.tensors import assemble
from translate.recipe import Recipe

_CLASSES = tuple(f"class {number}" for number in range(10))
"""Where a data set would name its own."""
_LEVELS = 256


def with_known_domains(recipe: Recipe[Any], kind: str) -> Recipe[Any]:
    """The recipe as if a data set had said what its samples are: of that kind, in ten classes where it has classes."""
    domains = recipe.domains
    if not isinstance(domains, OneDomain):
        return recipe
    x = kind if domains.x == AUTO else domains.x
    classes = domains.classes or (_CLASSES if domains.labelled else ())
    return replace(recipe, domains=replace(domains, x=x, classes=classes))


def synthetic_batch(recipe: Recipe[Any], device: torch.device) -> Mapping[str, Tensor]:
    """The tensors of a batch by domain, on the device; what is made of photos is made of these.

    Raises ConfigurationError while it is open what the data set holds.
    """
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name: assemble(ports, {port.name: _values(port, recipe, generator) for port in ports}, device)
        for name, ports in recipe.domains.stored().items()
    }
    return Maker(recipe.domains, seed=recipe.seed)(tensors, position=0)


def _values(port: Port, recipe: Recipe[Any], generator: torch.Generator) -> Tensor:
    count, side_px = recipe.batch_size, recipe.augmentation.crop_px
    match port:
        case Label():
            return torch.arange(count) % port.classes
        case Vector():
            return torch.randn(count, port.size, generator=generator)
        case LabelMap():
            return torch.randint(port.classes, (count, side_px, side_px), generator=generator)
        case Picture() | Mask() | FixedPicture():
            shape = (count, port.channels, side_px, side_px)
            return torch.randint(_LEVELS, shape, generator=generator, dtype=torch.uint8)
        case _:
            raise ValueError(f"{port.name!r} is nothing that a data set stores")
