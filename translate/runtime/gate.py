"""What a model may be made of. Runs in the child, since reading a damaged model can already kill a process.

A model of ours is one flat graph of tensor operations: no loops, no branches, no functions, nothing random, no text, no
other domain (custom operators, compiled blobs such as EPContext), and no tensor in another file.
"""

from collections.abc import Iterator
from typing import Any, Final

from translate.card import Card
from translate.errors import ModelError

GATE_VERSION: Final = 1
"""To be raised when the gate gets stricter: models are then tried again."""

CARD_KEY: Final = "pixturn.card"
"""Where the card's JSON lies in the model's metadata."""

_NAMES: Final = (
    "Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization "
    "BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu CenterCropPad Clip Col2Im "
    "Compress Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT DeformConv "
    "DepthToSpace DequantizeLinear Div DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten "
    "Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater "
    "GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity "
    "InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax "
    "LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul "
    "Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization Range "
    "Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
    "ReduceSum ReduceSumSquare Relu Reshape Resize Round STFT ScatterElements ScatterND Selu Shape Shrink "
    "Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish "
    "Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor"
)
OPERATORS: Final = frozenset(_NAMES.split())
"""The standard operators that a model may have: those that only compute tensors from tensors."""

_STANDARD: Final = ("", "ai.onnx")


def inspect(data: bytes) -> Card:
    """The card of a model whose graph is allowed and valid. Raises ModelError, and whatever onnx raises."""
    import onnx
    import onnx.checker

    model = onnx.load_model_from_string(data)
    problem = next(_problems(model), None)
    if problem:
        raise ModelError(problem)
    onnx.checker.check_model(data, full_check=True)
    card = _card(model)
    _require_names("inputs", [port.name for port in card.inputs], _given(model.graph))
    _require_names("outputs", [port.name for port in card.outputs], [port.name for port in model.graph.output])
    return card


def _problems(model: Any) -> Iterator[str]:  # noqa: ANN401 - protobuf's types are made at run time
    """What is not allowed, in words."""
    if model.functions:
        yield "it defines functions of its own; export it again with its functions inlined"
    if model.training_info:
        yield "it holds a training graph"
    for node in model.graph.node:
        yield from _node_problems(node)
    if any(_is_elsewhere(tensor) for tensor in _tensors(model.graph)):
        yield "it keeps tensors in another file; export it again as one file"
    keys = [entry.key for entry in model.metadata_props]
    if len(set(keys)) != len(keys):
        yield "its metadata has one key twice"


def _node_problems(node: Any) -> Iterator[str]:  # noqa: ANN401
    if node.domain not in _STANDARD:
        yield f"it has the operator {node.op_type!r} of the domain {node.domain!r}; only standard ones are run"
    elif node.op_type not in OPERATORS:
        yield f"it has the operator {node.op_type!r}, which is not among those that are run"
    if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
        yield f"its operator {node.op_type!r} holds a graph of its own"


def _tensors(graph: Any) -> Iterator[Any]:  # noqa: ANN401
    """Every stored tensor; graphs within graphs are refused before."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _is_elsewhere(tensor: Any) -> bool:  # noqa: ANN401
    return bool(tensor.external_data) or tensor.data_location == tensor.EXTERNAL


def _card(model: Any) -> Card:  # noqa: ANN401
    text = next((entry.value for entry in model.metadata_props if entry.key == CARD_KEY), None)
    if text is None:
        raise ModelError(f"it has no card ({CARD_KEY!r} in its metadata), so it was not exported by Pixturn")
    return Card.from_json(text)


def _given(graph: Any) -> list[str]:  # noqa: ANN401
    """The inputs that a caller must give: old models list their weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    return [port.name for port in graph.input if port.name not in weights]


def _require_names(which: str, on_card: list[str], in_model: list[str]) -> None:
    if sorted(on_card) != sorted(in_model):
        raise ModelError(f"its card names the {which} {on_card}, and its graph {in_model}; export it again")
