"""Cuts a network where it takes statistics over the whole picture, so that every piece in between is local.

An instance normalisation reads all places of a map. With mean and variance of the whole map at hand it is a batch
normalisation, which reads one place. So a network with n layers of statistics after one another becomes n + 1 *stages*
that are run one after another, each over all tiles: a stage makes the maps whose statistics the next one needs. Maps
that a later stage reads wait on disk meanwhile. A network without such statistics is one stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from translate.runtime.tiling.graph import Graph, Layer, without_constants
from translate.runtime.tiling.rules import reduced_axes

_WHOLE: Final = (2, 3)


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """Numbers for each channel of the map `source`, over the whole picture, by the names that the next stage has."""

    source: str
    mean: str
    variance: str | None
    shape: tuple[int, ...]
    """Of the mean: C along some axis, and 1 along all others."""
    element: int
    """ONNX's number for the type of the numbers."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        from onnx import helper

        return np.dtype(helper.tensor_dtype_to_np_dtype(self.element))


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """One piece of a network that is local.

    It reads the maps `reads` (inputs of the model, or maps on disk) and `statistics`, and makes `spills` (for later
    stages), `measures` (maps whose statistics are wanted) and `outputs` (of the model). `drops` is on disk no longer
    when it is done.
    """

    layers: tuple[Layer, ...]
    reads: tuple[str, ...]
    statistics: tuple[Statistic, ...]
    spills: tuple[str, ...]
    measures: tuple[Statistic, ...]
    outputs: tuple[str, ...]
    drops: tuple[str, ...]

    @property
    def makes(self) -> tuple[str, ...]:
        """The names of all maps that it makes, each once."""
        return tuple(dict.fromkeys((*self.spills, *(each.source for each in self.measures), *self.outputs)))


@dataclass(kw_only=True)
class _Flow:
    """Which layers depend on the picture, and how many rounds of statistics come before each tensor."""

    layers: list[Layer] = field(default_factory=list[Layer])
    level: dict[str, int] = field(default_factory=dict[str, int])
    maps: set[str] = field(default_factory=set[str])
    statistics: list[Statistic] = field(default_factory=list[Statistic])


def stages_of(graph: Graph) -> list[Stage]:
    """The stages of a network, in order. Raises ModelError where statistics are of a kind that cannot be cut at."""
    flow = _flow(graph)
    crossing = _crossing(graph, flow)
    levels = max([flow.level[name] for name in graph.outputs], default=0) + 1
    return [_stage(graph, flow, crossing, level) for level in range(levels)]


def _flow(graph: Graph) -> _Flow:
    """Walk the network once; layers of statistics become inputs."""
    flow = _Flow(level=dict.fromkeys(graph.inputs, 0), maps=set(graph.inputs))
    for layer in without_constants(graph):
        source = layer.inputs[0]
        level = max(flow.level.get(name, 0) for name in layer.inputs)
        statistic = _statistic(layer, graph) if source in flow.maps else None
        if statistic is None:
            _place(flow, layer, level, is_map=not flow.maps.isdisjoint(layer.inputs))
            continue
        flow.statistics.append(statistic)
        flow.level[statistic.mean] = flow.level[statistic.variance or statistic.mean] = level + 1
        if statistic.variance is not None:
            _place(flow, _with_given_statistics(layer, statistic), level + 1, is_map=True)
    return flow


def _place(flow: _Flow, layer: Layer, level: int, *, is_map: bool) -> None:
    flow.layers.append(layer)
    flow.level.update(dict.fromkeys(layer.outputs, level))
    if is_map:
        flow.maps.update(layer.outputs)


def _statistic(layer: Layer, graph: Graph) -> Statistic | None:
    """What the layer takes over the whole picture, or None for a layer that is no statistic."""
    source, made = layer.inputs[0], layer.outputs[0]
    if layer.op == "InstanceNormalization":
        # Half precision is too coarse for statistics, and is not needed: they are few numbers.
        names = {"mean": f"{made}/mean", "variance": f"{made}/variance"}
        return Statistic(source=source, **names, shape=(graph.channels(source),), element=_single())
    is_mean = layer.op == "ReduceMean" and sorted(reduced_axes(layer, graph)) == list(_WHOLE)
    if not is_mean and layer.op != "GlobalAveragePool":
        return None
    places = (1, 1) if layer.attributes.get("keepdims", 1) else ()
    shape = (1, graph.channels(source), *places)
    return Statistic(source=source, mean=made, variance=None, shape=shape, element=graph.element(source))


def _single() -> int:
    from onnx import TensorProto

    return TensorProto.FLOAT


def _with_given_statistics(layer: Layer, statistic: Statistic) -> Layer:
    """The batch normalisation that an instance normalisation is, once mean and variance are known."""
    from onnx import helper

    assert statistic.variance is not None
    inputs = (*layer.inputs, statistic.mean, statistic.variance)
    epsilon = layer.attributes.get("epsilon", 1e-5)
    node = helper.make_node("BatchNormalization", inputs, layer.outputs, name=layer.name, epsilon=epsilon)
    return Layer(
        op=node.op_type,
        name=layer.name,
        inputs=inputs,
        outputs=layer.outputs,
        attributes={"epsilon": epsilon},
        node=node,
    )


def _crossing(graph: Graph, flow: _Flow) -> dict[str, int]:
    """Maps that a later stage reads than the one that makes them, and the last stage that does."""
    last: dict[str, int] = {}
    for layer in flow.layers:
        level = flow.level[layer.outputs[0]]
        for name in flow.maps.intersection(layer.inputs).difference(graph.inputs):
            if flow.level[name] < level:
                last[name] = max(last.get(name, 0), level)
    return last


def _stage(graph: Graph, flow: _Flow, crossing: Mapping[str, int], level: int) -> Stage:
    spills = tuple(name for name in crossing if flow.level[name] == level)
    measures = tuple(each for each in flow.statistics if flow.level[each.source] == level)
    outputs = tuple(name for name in graph.outputs if flow.level[name] == level)
    waiting = {name for name in crossing if flow.level[name] < level}
    given = {name: each for each in flow.statistics for name in (each.mean, each.variance) if name}
    wanted = (*spills, *(each.source for each in measures), *outputs)
    layers = _needed(flow.layers, wanted, waiting.union(given))
    used = dict.fromkeys((*wanted, *(name for layer in layers for name in layer.inputs)))
    return Stage(
        layers=layers,
        reads=tuple(name for name in used if name in waiting or name in graph.inputs),
        statistics=tuple(each for each in flow.statistics if each.mean in used or each.variance in used),
        spills=spills,
        measures=measures,
        outputs=outputs,
        drops=tuple(name for name, last in crossing.items() if last == level),
    )


def _needed(layers: Sequence[Layer], wanted: Sequence[str], given: set[str]) -> tuple[Layer, ...]:
    """The layers that it takes to make `wanted` from what is `given`, in order."""
    missing, needed = set(wanted), list[Layer]()
    for layer in reversed(layers):
        if not missing.isdisjoint(layer.outputs) and given.isdisjoint(layer.outputs):
            needed.append(layer)
            missing.update(layer.inputs)
    return tuple(reversed(needed))
