"""One model out of two with the same graph: their weights mixed number by number (network interpolation). No torch."""

from collections.abc import Iterator
from dataclasses import replace
from math import lcm
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from translate.card import Card, PicturePort, Port, SizeRule
from translate.errors import ModelError
from translate.runtime.gate import CARD_KEY

_MIXABLE: Final = ("FLOAT", "FLOAT16", "DOUBLE")


def mixed(faithful: bytes, perceptual: bytes, fidelity: float) -> bytes:
    """The model whose weights are fidelity * faithful + (1 - fidelity) * perceptual, with a card of its own.

    X. Wang et al., "ESRGAN" (2018), section 3.4.

    Args:
        faithful: the bytes of an `.onnx` file that was checked and tried; all but the weights is taken from it.
        perceptual: those of another with the same graph.
        fidelity: 0 to 1.

    Raises:
        ModelError: the two are not of one network; the message says where they differ.
    """
    import onnx
    from onnx import numpy_helper

    model, other = (onnx.load_model_from_string(data) for data in (faithful, perceptual))
    problem = next(_differences(model, other), None)
    if problem:
        raise ModelError(f"they are not of one network: {problem}")
    card = card_of_mix(_card_in(model), _card_in(other), fidelity)
    partners = {tensor.name: tensor for tensor in other.graph.initializer}
    for tensor in model.graph.initializer:
        numbers = _between(numpy_helper.to_array(tensor), numpy_helper.to_array(partners[tensor.name]), fidelity)
        tensor.CopyFrom(numpy_helper.from_array(numbers, tensor.name))
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    return model.SerializeToString(deterministic=True)


def card_of_mix(faithful: Card, perceptual: Card, fidelity: float) -> Card:
    """The card of a mix. Nothing was measured on it, and no one recipe made it.

    Raises ModelError where the cards are not of one network.
    """
    return replace(
        faithful,
        name=f"{faithful.name}-fidelity-{fidelity:g}",
        inputs=_ports(faithful.inputs, perceptual.inputs),
        outputs=_ports(faithful.outputs, perceptual.outputs),
        tiling=faithful.tiling if faithful.tiling == perceptual.tiling else "forbidden",
        data=_both(faithful.data, perceptual.data),
        licence=_both(faithful.licence, perceptual.licence),
        images_seen=max(faithful.images_seen, perceptual.images_seen),
        recipe_sha256="",
        metrics={},
        parity={},
    )


def _between(faithful: NDArray[Any], perceptual: NDArray[Any], fidelity: float) -> NDArray[Any]:
    if np.array_equal(faithful, perceptual):  # constants of the graph, which rounding need not touch
        return faithful
    exact = fidelity * faithful.astype(np.float64) + (1.0 - fidelity) * perceptual.astype(np.float64)
    return exact.astype(faithful.dtype)


def _differences(one: Any, other: Any) -> Iterator[str]:  # noqa: ANN401 - protobuf's types are made at run time
    """Where two models are not of one network, in words."""
    if one.opset_import != other.opset_import:
        yield "their operators are of different versions; export both again"
    if one.graph.input != other.graph.input or one.graph.output != other.graph.output:
        yield "their inputs or outputs differ"
    yield from _different_nodes(one.graph.node, other.graph.node)
    ones, others = ({tensor.name: tensor for tensor in model.graph.initializer} for model in (one, other))
    for name in sorted(ones.keys() ^ others.keys()):
        yield f"only one of them has the tensor {name!r}"
    for name, tensor in ones.items():
        yield from _different_tensors(tensor, others[name])
    if _setting(_card_in(one)) != _setting(_card_in(other)):
        yield f"their cards say {_setting(_card_in(one))} and {_setting(_card_in(other))}"


def _different_nodes(ones: Any, others: Any) -> Iterator[str]:  # noqa: ANN401
    if len(ones) != len(others):
        yield f"one has {len(ones)} operators and the other {len(others)}"
    for place, (node, partner) in enumerate(zip(ones, others, strict=False)):
        if node.op_type != partner.op_type:
            yield f"operator {place} is {node.op_type} in one and {partner.op_type} in the other"
        elif node != partner:
            yield f"operator {place} ({node.op_type}) has other connections or settings in the other"


def _different_tensors(one: Any, other: Any) -> Iterator[str]:  # noqa: ANN401
    from onnx import numpy_helper

    if list(one.dims) != list(other.dims) or one.data_type != other.data_type:
        yield f"the tensor {one.name!r} is {_kind(one)} in one and {_kind(other)} in the other"
    elif _type(one) not in _MIXABLE and not np.array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other)):
        yield f"{one.name!r} has other whole numbers ({_type(one)}), and those cannot be mixed; take fp32 or fp16 files"


def _kind(tensor: Any) -> str:  # noqa: ANN401
    return f"{' x '.join(map(str, tensor.dims)) or 'one number'} {_type(tensor)}"


def _type(tensor: Any) -> str:  # noqa: ANN401
    from onnx import TensorProto

    return TensorProto.DataType.Name(tensor.data_type)


def _card_in(model: Any) -> Card:  # noqa: ANN401
    return Card.from_json(next(entry.value for entry in model.metadata_props if entry.key == CARD_KEY))


def _setting(card: Card) -> tuple[object, ...]:
    ports = tuple(_without_size(port) for port in (*card.inputs, *card.outputs))
    return card.task, f"x{card.scale}", card.precision, "pixels" if card.pixels else "numbers", *ports


def _without_size(port: Port) -> Port:
    return replace(port, size=SizeRule()) if isinstance(port, PicturePort) else port


def _ports(ones: tuple[Port, ...], others: tuple[Port, ...]) -> tuple[Port, ...]:
    """The same ports, of sizes that both networks take."""
    return tuple(_stricter(one, other) for one, other in zip(ones, others, strict=True))


def _stricter(one: Port, other: Port) -> Port:
    if not isinstance(one, PicturePort) or not isinstance(other, PicturePort):
        return one
    rules = (one.size, other.size)
    least_px, multiple_px = max(rule.at_least_px for rule in rules), lcm(*(rule.multiple_of_px for rule in rules))
    return replace(one, size=SizeRule(multiple_of_px=multiple_px, at_least_px=least_px))


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one}; {other}"
