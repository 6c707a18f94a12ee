"""The engines that run an exported file. Imports no torch, so that a process of its own shows their memory alone."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

Call = Callable[[], object]
GraphEngine = Callable[[Path, np.ndarray, int], Call]


def _onnxruntime(provider: str, path: Path, picture: np.ndarray, threads: int) -> Call:
    import onnxruntime

    if provider.startswith("CUDA"):
        onnxruntime.preload_dlls()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=[provider])
    if session.get_providers()[0] != provider:
        raise SystemExit(f"ONNX Runtime did not start {provider}")
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: picture})


def _openvino(precision: str, path: Path, picture: np.ndarray, threads: int) -> Call:
    import openvino

    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    model = openvino.Core().read_model(path.read_bytes())
    request = openvino.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: request.infer([picture])


ON_CPU: Mapping[str, GraphEngine] = {
    "ONNX Runtime fp32": partial(_onnxruntime, "CPUExecutionProvider"),
    "OpenVINO fp32": partial(_openvino, "f32"),
    "OpenVINO bf16": partial(_openvino, "bf16"),
}
ON_CUDA: Mapping[str, GraphEngine] = {"ONNX Runtime fp32": partial(_onnxruntime, "CUDAExecutionProvider")}
