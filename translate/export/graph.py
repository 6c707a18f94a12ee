"""From what users run to one ONNX graph: any batch, height and width, weights inside, the card in its metadata."""

import warnings
from typing import Any, Final

import onnx
import torch
from onnx import ModelProto, helper, shape_inference
from torch import Tensor, nn
from torch.export import Dim

from translate.card import Card, Label, PicturePort, Port, SizeRule
from translate.errors import ModelError
from translate.method import Deploy
from translate.runtime.gate import CARD_KEY
from translate.runtime.rows import row_shape

OPSET: Final = 18
IR_VERSION: Final = 10
"""Of the file format: old enough for every ONNX Runtime of the last years."""

_ROWS, _COLUMNS = 2, 3


class _OnPositions(nn.Module):
    """One tensor an input port, a tuple of one tensor an output port, whatever the module's own signature is."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the module gives, always as a tuple."""
        outputs = self.module(*inputs)
        return outputs if isinstance(outputs, tuple) else (outputs,)


def to_onnx(deploy: Deploy, card: Card) -> ModelProto:
    """The deployed module as a graph of the tensors that its card's ports describe, under their names.

    The dimensions are called batch and, of pictures of any size, height and width; outputs `card.scale` times as large
    have that in their names.
    The module is only read. Whether the graph computes the same is for `translate.export.proof` to say.

    Raises:
        ModelError: a part of the module is in training mode, or it cannot be written for every batch and size.
    """
    _require_evaluation(deploy)
    model = _traced(deploy.module, card)
    _require_own_operators(model)
    _name_dimensions(model, card)
    _without_traces(model)
    model.ir_version = IR_VERSION
    set_card(model, card)
    check(model)
    return model


def set_card(model: ModelProto, card: Card) -> None:
    """Put a card into the model's metadata, in place of what was there."""
    helper.set_model_props(model, {CARD_KEY: card.to_json()})


def check(model: ModelProto) -> None:
    """Hold the graph to ONNX's own rules, shapes included. Raises ModelError for one that breaks them."""
    try:
        onnx.checker.check_model(model, full_check=True)
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except Exception as problem:  # the checker and the inference raise kinds of their own
        raise ModelError(f"The exported graph is not valid ONNX: {problem}") from problem


def _require_evaluation(deploy: Deploy) -> None:
    """Of every part but the outermost, where that is no network: `deploys()` makes it anew, in training mode."""
    checked = {part: name for name, part in deploy.module.named_modules() if name}
    checked |= {part: type(part).__name__ for network in deploy.networks for part in network.modules()} | checked
    training = [name for part, name in checked.items() if part.training]
    if training:
        raise ModelError(
            f"{len(training)} parts are in training mode ({training[0]} first): dropout and the statistics of a batch "
            "would go into the file; call eval() on the method before exporting it"
        )


def _traced(module: nn.Module, card: Card) -> ModelProto:
    positional = _OnPositions(module)
    positional.training = False  # of the wrapper alone: eval() would change flags of the module
    examples = tuple(_example(port) for port in card.inputs)
    shapes = tuple(_dimensions(port) for port in card.inputs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of dimensions that two inputs share
            program = torch.onnx.export(
                positional,
                examples,
                input_names=[port.name for port in card.inputs],
                output_names=[port.name for port in card.outputs],
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                dynamic_shapes=(shapes,),
                optimize=True,
                verbose=False,
            )
    except Exception as problem:  # torch.export and the translation to ONNX have errors of many kinds
        raise ModelError(f"{card.method} cannot be exported for every batch and size: {problem}") from problem
    if program is None:
        raise ModelError(f"torch.onnx.export gave no graph for {card.method}")
    return program.model_proto


def _example(port: Port) -> Tensor:
    """Another number for batch, height and width, and none of them 1, so that no dimension is taken for a constant."""
    if not isinstance(port, PicturePort):
        return torch.zeros(2, *row_shape(port), dtype=torch.int64 if isinstance(port, Label) else torch.float32)
    channels, rule = port.channels, port.size
    steps = max(2, -(-rule.at_least_px // rule.multiple_of_px))
    return torch.zeros(2, channels, (steps + 1) * rule.multiple_of_px, (steps + 2) * rule.multiple_of_px)


def _dimensions(port: Port) -> dict[int, Any]:
    if not isinstance(port, PicturePort):
        return {0: Dim("batch")}
    rule = port.size
    least = -(-rule.at_least_px // rule.multiple_of_px)
    return {
        0: Dim("batch"),
        _ROWS: _in_multiples(Dim("height", min=least), rule),
        _COLUMNS: _in_multiples(Dim("width", min=least), rule),
    }


def _in_multiples(steps: Any, rule: SizeRule) -> Any:  # noqa: ANN401 - torch's symbolic dimensions have no public type
    return steps if rule.multiple_of_px == 1 else rule.multiple_of_px * steps


def _require_own_operators(model: ModelProto) -> None:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions != {"": OPSET} or model.functions:
        raise ModelError(f"The exported graph needs the operators {versions}, not ONNX's own of version {OPSET} alone")


def _name_dimensions(model: ModelProto, card: Card) -> None:
    """The tracer's names are formulas (`4*height`), which say the network's rule; readers want the plain words."""
    for value, port in zip(model.graph.input, card.inputs, strict=True):
        _name(value, _words(port, 1), card)
    for value, port in zip(model.graph.output, card.outputs, strict=True):
        _name(value, _words(port, card.scale), card)


def _words(port: Port, scale: int) -> dict[int, str]:
    """The names of the dimensions that vary, by axis."""
    if not isinstance(port, PicturePort):
        return {0: "batch"}
    return {0: "batch", _ROWS: _scaled("height", scale), _COLUMNS: _scaled("width", scale)}


def _name(value: onnx.ValueInfoProto, words: dict[int, str], card: Card) -> None:
    dimensions = value.type.tensor_type.shape.dim
    for axis, word in words.items():
        if not dimensions[axis].dim_param:
            raise ModelError(
                f"{card.method} cannot be exported for every batch and size: the {word} of {value.name!r} is always "
                f"{dimensions[axis].dim_value}"
            )
        dimensions[axis].dim_param = word


def _scaled(word: str, scale: int) -> str:
    return word if scale == 1 else f"{scale}*{word}"


def _without_traces(model: ModelProto) -> None:
    """The tracer notes where in the source each node comes from, with the folders of this machine."""
    graph = model.graph
    del graph.value_info[:]
    for noted in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del noted.metadata_props[:]
        noted.doc_string = ""
