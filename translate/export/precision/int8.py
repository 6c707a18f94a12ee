"""Eight-bit integers for CPUs: convolutions in int8, with ranges of activations measured on real pictures (QDQ)."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnx
from numpy.typing import NDArray
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from translate.errors import ModelError
from translate.runtime.base import Arrays

_CONVOLUTIONS: Final = ("Conv", "ConvTranspose")
_LEAST_CONVOLUTIONS: Final = 3


def quantise(model: ModelProto, samples: Sequence[Arrays]) -> ModelProto:
    """A copy of a float32 graph whose inner convolutions compute in int8; inputs, outputs and metadata stay.

    Weights have a scale for each channel, activations one for each tensor, from the least to the largest number
    seen. The first and the last convolution stay float32: they read the picture and write it, and cost most in quality
    for the little time that they take. So do transposed convolutions, for which ONNX Runtime has no int8 on CPUs.

    Args:
        model: computes in float32, and has value names that are unique.
        samples: pictures to measure ranges on, as the runtime gets them: arrays by input name, N x C x H x W. A few
            dozen of the validation set are enough.

    Raises:
        ModelError: there are no samples, or the network has no inner convolution.
    """
    if not samples:
        raise ModelError("An int8 model is calibrated on pictures, and none were given: name a data set with some")
    ends = _first_and_last_convolution(model)
    with tempfile.TemporaryDirectory(prefix="pixturn-int8-") as folder:
        source, target = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        # By file: given a model, the library moves its weights to another file and leaves it hollow.
        onnx.save(_marked_as_prepared(model), source)
        quantize_static(
            source,
            target,
            _Samples(samples),
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=ends,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return _with_the_outside_of(model, onnx.load(target))


class _Samples(CalibrationDataReader):
    def __init__(self, samples: Sequence[Arrays]) -> None:
        self._left = iter(samples)

    def get_next(self) -> dict[str, NDArray[Any]]:
        return dict(next(self._left, {}))  # nothing in it says that there are no more


def _first_and_last_convolution(model: ModelProto) -> list[str]:
    names = [node.name for node in model.graph.node if node.op_type in _CONVOLUTIONS]
    if len(names) < _LEAST_CONVOLUTIONS:
        raise ModelError(f"The network has {len(names)} convolutions; int8 is for three or more: take fp32 or fp16")
    return [names[0], names[-1]]


def _marked_as_prepared(model: ModelProto) -> ModelProto:
    """The exporter has folded what can be folded; without the mark the library warns that nobody did."""
    marked = ModelProto()
    marked.CopyFrom(model)
    add_pre_process_metadata(marked)
    return marked


def _with_the_outside_of(model: ModelProto, quantised: ModelProto) -> ModelProto:
    """What callers see is that of the float32 model: inputs and outputs with their named dimensions, and metadata."""
    _replace(quantised.graph.input, model.graph.input)
    _replace(quantised.graph.output, model.graph.output)
    _replace(quantised.metadata_props, model.metadata_props)
    del quantised.graph.value_info[:]
    return quantised


def _replace(ours: Any, theirs: Any) -> None:  # noqa: ANN401 - protobuf's types are made at run time
    """All entries of a repeated field by those of another one."""
    del ours[:]
    ours.extend(theirs)
