"""`load(path)`: from a trained run or an `.onnx` file to something that takes a picture and gives one."""

from pathlib import Path
from typing import Literal

from pipelines.runs import RUNS, find_run
from pipelines.tasks import TASKS, Translate
from translate.errors import ConfigurationError, DeviceError
from translate.runtime.base import Runtime

Device = Literal["auto", "cpu", "cuda", "mps"]


def load(path: str | Path, *, direction: str | None = None, device: Device = "auto", runs: Path = RUNS) -> Translate:
    """The pipeline for a trained run (its best weights) or an `.onnx` file, ready to be called with a picture.

    Args:
        path: the run's folder, or its name in `runs`; or an `.onnx` file.
        direction: which of a run's networks: AtoB (the first, if None), BtoA where the method has it.
        device: where to compute.
        runs: folder of the runs.

    Raises:
        ModelError: there is no such run or file, or it is damaged.
        ConfigurationError: the method has no such direction, or ONNX Runtime is missing.
        DeviceError: the device is not there.
    """
    runtime = _onnx(path, direction, device) if Path(path).suffix == ".onnx" else _run(path, direction, device, runs)
    return TASKS[runtime.card.task](runtime)


# Each runtime is imported where it is needed: a run needs torch, and an .onnx file must not.


def _run(path: str | Path, direction: str | None, device: Device, runs: Path) -> Runtime:
    folder = find_run(path, runs)
    from pipelines.trained import Trained
    from translate.devices import pick_device

    return Trained.read(folder).runtime(direction, pick_device(device))


def _onnx(path: str | Path, direction: str | None, device: Device) -> Runtime:
    if direction is not None:
        raise ConfigurationError(f"--direction {direction}: {path} holds one direction; leave the option out")
    if device == "mps":
        raise DeviceError("--device mps: ONNX Runtime runs here on cpu or cuda")
    from translate.runtime.onnx import OnnxRuntime

    return OnnxRuntime(path, device=device)
