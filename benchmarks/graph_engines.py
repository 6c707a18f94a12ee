"""The engines that run an exported file, set up as `pixturn run` does. Imports no torch: their memory shows alone."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from translate.card import Card, Picture
from translate.runtime.openvino_model import Compute, OpenVinoModel
from translate.runtime.providers import OnnxDevice, providers_for
from translate.runtime.session import new_session

Call = Callable[[], object]
GraphEngine = Callable[[Path, np.ndarray, int], Call]

CARD = Card(
    task="translate",
    method="benchmark",
    name="benchmark",
    inputs=(Picture(name="a"),),
    outputs=(Picture(name="b"),),
)


def _onnxruntime(device: OnnxDevice, path: Path, picture: np.ndarray, threads: int) -> Call:
    providers = providers_for(device)
    session = new_session(path.read_bytes(), providers, threads=threads)
    if session.get_providers()[0] != providers[0][0]:
        raise SystemExit(f"ONNX Runtime did not start {device}")
    return lambda: session.run(None, {"a": picture})


def _onnxruntime_int8(path: Path, picture: np.ndarray, threads: int) -> Call:
    return _onnxruntime("cpu", int8_beside(path), picture, threads)


def int8_beside(path: Path) -> Path:
    """Where the graph at `path` lies in int8."""
    return path.with_suffix(".int8.onnx")


def _openvino(compute: Compute, path: Path, picture: np.ndarray, _threads: int) -> Call:
    model = OpenVinoModel(path.read_bytes(), compute)
    return lambda: model.run({"a": picture})


ON_CPU: Mapping[str, GraphEngine] = {
    "ONNX Runtime fp32": partial(_onnxruntime, "cpu"),
    "ONNX Runtime int8": _onnxruntime_int8,
    "OpenVINO fp32": partial(_openvino, "fp32"),
    "OpenVINO bf16": partial(_openvino, "bf16"),
}
"""OpenVINO takes as many threads as the process may use cores."""
ON_CUDA: Mapping[str, GraphEngine] = {"ONNX Runtime fp32": partial(_onnxruntime, "cuda")}
