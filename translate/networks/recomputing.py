"""Less memory for more time: of the maps of a forward pass only some are kept, the others are computed again backwards.

Chen, Xu, Zhang and Guestrin 2016, https://arxiv.org/abs/1604.06174: a chain of n layers, cut into stages of about the
square root of n layers each, keeps as many maps as there are stages, and those of the one stage that is being gone
through backwards. Every layer is computed forwards twice.

The second pass gives what the first gave: random numbers, autocast, and which weights took gradients, are as they
were. It leaves no trace: it runs on copies of the buffers as the first pass found them, so running statistics and the
vectors of spectral norm move once.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from math import ceil, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint


def recompute(network: nn.Module) -> None:
    """Let a network keep less, in place.

    What it gives, its gradients, and the names of its parameters and buffers stay as they are; passes without gradients
    cost nothing more. Stages are the largest inner modules, and runs of neighbours in an `nn.Sequential`, of at most
    the square root of the network's layers. A stage is whole only where it is called: what walks through the entries of
    a run by itself (a discriminator's features, say) keeps their maps.
    """
    _divide(network, most=ceil(sqrt(_layers(network))))


def _layers(module: nn.Module) -> int:
    return sum(_layers(child) for child in _children(module)) or 1


def _children(module: nn.Module) -> Iterator[nn.Module]:
    """The modules inside, but those that only make a layer's weight (spectral norm)."""
    if not parametrize.is_parametrized(module):
        yield from module.children()


def _divide(module: nn.Module, most: int) -> None:
    if type(module) is nn.Sequential:
        _divide_row(module, most)
        return
    for child in _children(module):
        _divide_part(child, most)


def _divide_part(module: nn.Module, most: int) -> None:
    layers = _layers(module)
    if layers > most:
        _divide(module, most)
    elif layers > 1:  # a layer by itself keeps little but what it was given
        module.forward = Stage(module)


def _divide_row(row: nn.Sequential, most: int) -> None:
    bounds = _bounds(row, most)
    parts = [row[start] if stop == start + 1 else row[start:stop] for start, stop in pairwise(bounds)]
    for part in parts:
        _divide_part(part, most)
    row.forward = Row(parts)


def _bounds(row: nn.Sequential, most: int) -> list[int]:
    """Where runs of neighbours begin, and the end: each has at most so many layers, or is one module."""
    bounds, layers = [0], 0
    for index, module in enumerate(row):
        layers += _layers(module)
        if layers > most and index > bounds[-1]:
            bounds.append(index)
            layers = _layers(module)
    return [*bounds, len(row)]


class Row:
    """In the place of the `forward` of an `nn.Sequential`: its entries one after the other, some of them together."""

    def __init__(self, parts: list[nn.Module]) -> None:
        self.parts = parts

    def __call__(self, input: Any) -> Any:  # noqa: A002, ANN401 - the name that `nn.Sequential` has; anything
        """What the last entry gives."""
        for part in self.parts:
            input = part(input)  # noqa: A001
        return input


class Stage:
    """In the place of a module's `forward`: keeps what the module is given, and nothing of what happens inside.

    It names its module rather than binding the method, so that a deep copy of the network calls its own.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the module takes and gives
        """What the module gives."""
        forward: Callable[..., Any] = type(self.module).forward.__get__(self.module)
        if not _learns(self.module, (*given, *named.values())):
            return forward(*given, **named)
        if torch.compiler.is_compiling():  # a compiled graph changes buffers once, however often it computes
            return checkpoint(forward, *given, use_reentrant=False, **named)
        return checkpoint(forward, *given, use_reentrant=False, context_fn=self._contexts, **named)

    def _contexts(self) -> tuple[AbstractContextManager[object], AbstractContextManager[object]]:
        """Those of the first pass and of every later one."""
        return nullcontext(), AsFound(self.module)


class AsFound:
    """Within, a module's parameters and buffers are as they were when this was made; afterwards, as they were before.

    Of buffers, only those of submodules in training mode are looked after: others move none. The weights themselves
    have not changed between a pass and its way back, or autograd would be wrong without this, too.
    """

    def __init__(self, module: nn.Module) -> None:
        self._flags = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
        self._buffers = [
            (owner, name, buffer.detach().clone())
            for owner in module.modules()
            if owner.training
            for name, buffer in owner.named_buffers(recurse=False)
        ]
        self._outside: list[Tensor] = []
        self._outside_flags: list[bool] = []

    def __enter__(self) -> None:
        """Put the copies, and copies only, in the buffers' places."""
        self._outside = [owner.get_buffer(name) for owner, name, _ in self._buffers]
        self._outside_flags = [parameter.requires_grad for parameter, _ in self._flags]
        for owner, name, copy in self._buffers:
            setattr(owner, name, copy.clone())  # a second way back (of a penalty) begins with the same copy
        for parameter, flag in self._flags:
            parameter.requires_grad_(flag)

    def __exit__(self, *problem: object) -> None:
        """Put the true ones back."""
        for (owner, name, _), buffer in zip(self._buffers, self._outside, strict=True):
            setattr(owner, name, buffer)
        for (parameter, _), flag in zip(self._flags, self._outside_flags, strict=True):
            parameter.requires_grad_(flag)


def _learns(module: nn.Module, given: tuple[Any, ...]) -> bool:
    if not torch.is_grad_enabled():
        return False
    tensors = [each for each in given if isinstance(each, Tensor)]
    return any(tensor.requires_grad for tensor in (*tensors, *module.parameters()))
