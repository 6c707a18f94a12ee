"""`load(path)`: from a trained run or an `.onnx` file to something that takes a picture and gives one."""

from pathlib import Path
from typing import Literal

from pipelines.large import Tiles
from pipelines.runs import RUNS, find_run
from pipelines.tasks import TASKS, Translate
from translate.errors import ConfigurationError, DeviceError
from translate.runtime.base import Runtime

Device = Literal["auto", "cpu", "cuda", "mps", "tensorrt", "openvino"]
Compute = Literal["fp32", "bf16"]
"""What floating-point layers compute in; a file may hold fp16 or int8 besides, as its card says."""


def load(
    path: str | Path,
    *,
    direction: str | None = None,
    device: Device = "auto",
    precision: Compute = "fp32",
    runs: Path = RUNS,
    tiles: Tiles | None = None,
) -> Translate:
    """The pipeline for a trained run (its best weights) or an `.onnx` file, ready to be called with a picture.

    Args:
        path: the run's folder, or its name in `runs`; or an `.onnx` file.
        direction: which of a run's networks: AtoB (the first, if None), BtoA where the method has it.
        device: where to compute; `tensorrt` and `openvino` are for .onnx files, `mps` is for runs.
        precision: `bf16` is for `openvino`, on CPUs that have it: about twice as fast, and less exact.
        runs: folder of the runs.
        tiles: how pictures are run that are too large for memory; see Tiles.

    Raises:
        ModelError: there is no such run or file, it is damaged, or it is too inexact in the precision.
        ConfigurationError: the method has no such direction, the device no such precision, or a package is missing.
        DeviceError: the device is not there.
    """
    _require_precision(precision, device)
    if Path(path).suffix == ".onnx":
        runtime = _onnx(path, direction, device, precision)
    else:
        runtime = _run(path, direction, device, runs)
    return TASKS[runtime.card.task](runtime, tiles)


def _require_precision(precision: Compute, device: Device) -> None:
    if precision != "fp32" and device != "openvino":
        raise ConfigurationError(f"--precision {precision} is for --device openvino; leave it out with {device}")


# Each runtime is imported where it is needed: a run needs torch, and an .onnx file must not.


def _run(path: str | Path, direction: str | None, device: Device, runs: Path) -> Runtime:
    if device in ("tensorrt", "openvino"):
        raise DeviceError(f"--device {device} runs .onnx files; export the run first: pixturn export {path}")
    folder = find_run(path, runs)
    from pipelines.trained import Trained
    from translate.devices import pick_device

    return Trained.for_use(folder).runtime(direction, pick_device(device))


def _onnx(path: str | Path, direction: str | None, device: Device, precision: Compute) -> Runtime:
    if direction is not None:
        raise ConfigurationError(f"--direction {direction}: {path} holds one direction; leave the option out")
    if device == "mps":
        raise DeviceError("--device mps: an .onnx file runs on cpu, cuda, tensorrt or openvino")
    if device == "openvino":
        from translate.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime(path, precision=precision)
    from translate.runtime.onnx import OnnxRuntime

    return OnnxRuntime(path, device=device)
