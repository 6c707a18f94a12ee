"""Half precision for GPUs: weights and activations in 16 bits, whatever needs range or exact sums in 32."""

from typing import Final

from onnx import ModelProto
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

_EXACT: Final = (
    "InstanceNormalization",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "ReduceMean",
    "ReduceSum",
    "ReduceSumSquare",
    "ReduceL2",
    "GlobalAveragePool",
    "Exp",
    "Pow",
)
"""Sums over a whole map, and powers: above 65,504 a half is infinite, and from 2,048 on it skips integers."""


def half(model: ModelProto) -> ModelProto:
    """A copy of a float32 graph that computes in float16; inputs and outputs stay float32, metadata and names too.

    Weights outside the range of a half are clamped to it. Statistics of normalisations are taken in float32: the
    sum of a channel's squares over 512 x 512 pixels is beyond 65,504 as soon as they are 0.25 in the mean.
    """
    plain = _without_inferred_types(model)
    converted = convert_float_to_float16(plain, keep_io_types=True, op_block_list=[*DEFAULT_OP_BLOCK_LIST, *_EXACT])
    return _in_order(_without_doubles(converted))


def _without_inferred_types(model: ModelProto) -> ModelProto:
    """Noted types of weights mislead the converter: it takes what has one for a half already, and casts it back."""
    plain = ModelProto()
    plain.CopyFrom(model)
    del plain.graph.value_info[:]
    return plain


def _without_doubles(model: ModelProto) -> ModelProto:
    """The converter adds the same cast once for every node that reads it, which no runtime accepts."""
    once = list({tuple(node.output): node for node in model.graph.node}.values())
    del model.graph.node[:]
    model.graph.node.extend(once)
    return model


def _in_order(model: ModelProto) -> ModelProto:
    """The converter appends its casts at the end; ONNX wants every node after what it reads."""
    sortable = ONNXModel(model)
    sortable.topological_sort()
    del sortable.model.graph.value_info[:]
    return sortable.model
