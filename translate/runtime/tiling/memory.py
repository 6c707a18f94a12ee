"""How much memory a picture would take if it went through a network as a whole."""

import math
from typing import Final

from translate.runtime.tiling.graph import Graph, without_constants
from translate.runtime.tiling.windows import Axis

_SAFETY: Final = 5
"""Measured with ONNX Runtime on a CPU: 1.8 (only convolutions) to 3.8 times (transposed ones) the maps alone, and 4.7
times with the statistics of instance norm in two steps (ResNet-9 at 1024 px: 2,509 MB)."""


def whole_bytes(graph: Graph, axes: tuple[Axis, Axis]) -> int:
    """An upper estimate: five times the maps that are needed at the same moment, where that is most."""
    layers = list(without_constants(graph))
    last = {name: index for index, layer in enumerate(layers) for name in layer.inputs}
    last.update(dict.fromkeys(graph.outputs, len(layers)))
    held = {name: _bytes(graph, axes, name) for name in graph.inputs}
    most = 0
    for index, layer in enumerate(layers):
        held.update({name: _bytes(graph, axes, name) for name in layer.outputs})
        most = max(most, sum(held.values()))
        held = {name: size for name, size in held.items() if last.get(name, -1) > index}
    return _SAFETY * most


def _bytes(graph: Graph, axes: tuple[Axis, Axis], name: str) -> int:
    if name not in axes[0].lengths:  # statistics: few numbers
        return 0
    return graph.channels(name) * math.prod(axis.lengths[name] for axis in axes) * graph.dtype(name).itemsize
