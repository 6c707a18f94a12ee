"""What each kind of layer reads, from its attributes: the only place that knows ONNX's operators."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from translate.runtime.tiling.graph import Graph, Layer
from translate.runtime.tiling.lines import SAME, Bordering, Enlarging, Interpolating, Rule, Sliding

Rules = tuple[Rule, Rule]
"""Along the height, and along the width."""

_SPATIAL: Final = (2, 3)
_CHANNELS: Final = 1
_PLACE_BY_PLACE: Final = frozenset(
    """
    Abs Add And Cast Ceil Celu Clip Cos Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish
    Identity LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu
    Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Swish Tanh ThresholdedRelu Where
    """.split()  # noqa: SIM905 - a list would be fifty lines
)
_ON_CHANNELS: Final = frozenset(("BatchNormalization", "DequantizeLinear", "QuantizeLinear"))
_AXIS: Final[Mapping[str, int]] = {"Concat": 0, "Split": 0, "Softmax": -1, "LogSoftmax": -1, "Gather": 0}
_REDUCING: Final = frozenset(("ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"))
_TAPS: Final[Mapping[str, tuple[int, int]]] = {"nearest": (0, 1), "linear": (0, 1), "cubic": (1, 2)}
_SHIFTS: Final[Mapping[str, Fraction]] = {
    "half_pixel": Fraction(1, 2),
    "pytorch_half_pixel": Fraction(1, 2),
    "asymmetric": Fraction(0),
}


def rules_of(layer: Layer, graph: Graph) -> Rules:
    """What the layer reads along height and width. Raises ModelError for a layer that may read everything."""
    if layer.op in _PLACE_BY_PLACE:
        _require_no_places(layer, graph)
        return SAME, SAME
    if layer.op in _ON_CHANNELS:
        return SAME, SAME
    if layer.op in _AXIS:
        return _along_channels(layer, int(layer.attributes.get("axis", _AXIS[layer.op])))
    if layer.op in _REDUCING:
        return _reducing(layer, graph)
    if layer.op not in _KINDS:
        raise layer.refused("is of no kind whose reach is known")
    return _KINDS[layer.op](layer, graph)


def reduced_axes(layer: Layer, graph: Graph) -> tuple[int, ...]:
    """The axes over which a reduction goes, counted from 0; all four where none is named."""
    axes = layer.attributes.get("axes")
    numbers = graph.numbers(layer, 1) if axes is None else axes
    return tuple(range(4)) if numbers is None else tuple(int(axis) % 4 for axis in numbers)


def _require_no_places(layer: Layer, graph: Graph) -> None:
    """Refuse constants that differ from place to place: a tile would see the wrong part of them."""
    for name in layer.inputs:
        if name and graph.is_constant(name) and any(length != 1 for length in graph.shape(name)[-2:]):
            raise layer.refused(f"uses {name!r}, whose numbers differ from place to place")


def _along_channels(layer: Layer, axis: int) -> Rules:
    if axis % 4 != _CHANNELS:
        raise layer.refused(f"works along axis {axis}; only channels, axis 1, can be")
    return SAME, SAME


def _reducing(layer: Layer, graph: Graph) -> Rules:
    if reduced_axes(layer, graph) != (_CHANNELS,) or not layer.attributes.get("keepdims", 1):
        raise layer.refused("sums up places")
    return SAME, SAME


def _slice(layer: Layer, graph: Graph) -> Rules:
    axes = graph.numbers(layer, 3)
    if axes is None or any(axis % 4 != _CHANNELS for axis in axes.tolist()):
        raise layer.refused("cuts out places; only channels can be")
    return SAME, SAME


def _convolution(layer: Layer, graph: Graph) -> Rules:
    _require_no_auto_padding(layer)
    return _sliding(layer, _kernel(layer, graph))


def _pool(layer: Layer, _graph: Graph) -> Rules:
    _require_no_auto_padding(layer)
    if layer.attributes.get("ceil_mode", 0) or len(layer.outputs) > 1:
        raise layer.refused("rounds sizes up, or gives positions")
    return _sliding(layer, tuple(layer.attributes["kernel_shape"]))


def _sliding(layer: Layer, kernel: tuple[int, ...]) -> Rules:
    strides, dilations, pads = _steps(layer)

    def rule(axis: int) -> Rule:
        extent = (kernel[axis] - 1) * dilations[axis] + 1
        return Sliding(kernel=extent, stride=strides[axis], before=pads[axis], after=pads[axis + 2])

    return rule(0), rule(1)


def _transposed(layer: Layer, graph: Graph) -> Rules:
    _require_no_auto_padding(layer)
    if "output_shape" in layer.attributes:
        raise layer.refused("has a fixed output size")
    strides, dilations, pads = _steps(layer)
    kernel, extra = _kernel(layer, graph), layer.attributes.get("output_padding", (0, 0))

    def rule(axis: int) -> Rule:
        extent = (kernel[axis] - 1) * dilations[axis] + 1
        before, after = pads[axis], pads[axis + 2]
        return Enlarging(kernel=extent, stride=strides[axis], before=before, after=after, extra=extra[axis])

    return rule(0), rule(1)


def _require_no_auto_padding(layer: Layer) -> None:
    if layer.attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise layer.refused("pads by the size of its input")


def _kernel(layer: Layer, graph: Graph) -> tuple[int, ...]:
    return tuple(layer.attributes.get("kernel_shape", graph.shape(layer.inputs[1])[2:]))


def _steps(layer: Layer) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Strides and dilations along height and width, and padding: top, left, bottom, right."""
    attributes = layer.attributes
    strides = tuple(attributes.get("strides", (1, 1)))
    dilations, pads = tuple(attributes.get("dilations", (1, 1))), tuple(attributes.get("pads", (0, 0, 0, 0)))
    if len(strides) != 2 or len(pads) != 4:
        raise layer.refused("is not about height and width alone")
    return strides, dilations, pads


def _pad(layer: Layer, graph: Graph) -> Rules:
    mode = layer.attributes.get("mode", b"constant")
    if mode not in (b"constant", b"edge", b"reflect"):
        raise layer.refused("takes its border from the other side of the picture")
    pads, axes = graph.numbers(layer, 1), graph.numbers(layer, 3)
    if pads is None:
        raise layer.refused("does not say how wide its border is")
    named = [int(axis) % 4 for axis in (range(4) if axes is None else axes.tolist())]
    widths = {axis: (int(pads[index]), int(pads[index + len(named)])) for index, axis in enumerate(named)}
    if widths.get(0, (0, 0)) != (0, 0):
        raise layer.refused("puts pictures into the batch")
    borders = [widths.get(axis, (0, 0)) for axis in _SPATIAL]
    height, width = (Bordering(before=one, after=two, reflects=mode == b"reflect") for one, two in borders)
    return height, width


def _resize(layer: Layer, graph: Graph) -> Rules:
    attributes = layer.attributes
    scales = graph.numbers(layer, 2)
    mode, places = (attributes.get(key, other).decode() for key, other in _RESIZE_DEFAULTS.items())
    if scales is None or not scales.size:
        raise layer.refused("resizes to a size rather than by a factor")
    if attributes.get("antialias", 0) or places not in _SHIFTS or mode not in _TAPS:
        raise layer.refused(f"resizes by {mode} with {places}, whose reach is not known")
    factors = dict(zip(attributes.get("axes", range(4)), scales.tolist(), strict=True))
    if any(factors.get(axis, 1.0) != 1.0 for axis in (0, _CHANNELS)):
        raise layer.refused("resizes channels")
    before, after = _TAPS[mode]

    def rule(axis: int) -> Rule:
        factor = Fraction(factors.get(axis, 1.0)).limit_denominator(1024)
        return Interpolating(factor=factor, shift=_SHIFTS[places], before=before, after=after)

    return rule(2), rule(3)


_RESIZE_DEFAULTS: Final = {"mode": b"nearest", "coordinate_transformation_mode": b"half_pixel"}


def _depth_to_space(layer: Layer, _graph: Graph) -> Rules:
    block = int(layer.attributes["blocksize"])
    rule = Enlarging(kernel=block, stride=block)
    return rule, rule


def _space_to_depth(layer: Layer, _graph: Graph) -> Rules:
    block = int(layer.attributes["blocksize"])
    rule = Sliding(kernel=block, stride=block)
    return rule, rule


_KINDS: Final[Mapping[str, Callable[[Layer, Graph], Rules]]] = {
    "AveragePool": _pool,
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "DepthToSpace": _depth_to_space,
    "MaxPool": _pool,
    "Pad": _pad,
    "Resize": _resize,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
}
