"""`load(path)`: from a trained run or an `.onnx` file to the pipeline of its task."""

from pathlib import Path
from typing import Literal

from pipelines.large import Tiles
from pipelines.runs import RUNS, bundle_of, find_run
from pipelines.tasks import Pipeline, Translate, command_for, pipeline_for
from translate.errors import ConfigurationError, DeviceError
from translate.runtime.base import Runtime
from translate.runtime.bound import Binding
from translate.runtime.openvino_model import Compute

Device = Literal["auto", "cpu", "cuda", "mps", "tensorrt", "openvino"]


def load(
    path: str | Path,
    *,
    direction: str | None = None,
    device: Device = "auto",
    compute: Compute = "fp32",
    binding: Binding = "no",
    fidelity: float | None = None,
    runs: Path = RUNS,
    tiles: Tiles | None = None,
) -> Pipeline:
    """The pipeline for a trained run (its best weights) or an `.onnx` file, ready to be called with a picture.

    Args:
        path: the folder of a run or of a bundle, or its name in `runs`; or an `.onnx` file.
        direction: which of a run's networks: AtoB (the first, if None), BtoA where the method has it.
        device: where to compute; `tensorrt` and `openvino` are for .onnx files, `mps` is for runs.
        compute: what layers compute in; `bf16` is for `openvino`, on CPUs that have it: about twice as fast, and less
            exact.
        binding: for an `.onnx` file with ONNX Runtime: `yes` keeps inputs and outputs in places of their own on the
            device, one pair for each size of pictures; `graphs` replays CUDA graphs on them. Results are the same.
        fidelity: where NAME-perceptual.onnx lies beside the file: 1 is what was trained for pixels, 0 what was trained
            to please, and between them the weights are mixed; see pipelines.fidelity. None: the file itself.
        runs: folder of the runs.
        tiles: how pictures are run that are too large for memory; see Tiles.

    Raises:
        ModelError: there is no such run or file, it is damaged, or it is too inexact in bf16.
        ConfigurationError: the method has no such direction, the device does not compute so, a package is missing, or
            there is nothing for a fidelity to be mixed with.
        DeviceError: the device is not there.
    """
    model = Path(path) if Path(path).suffix.lower() == ".onnx" else bundle_of(path, runs)
    _require_compute(compute, device)
    _require_binding(binding, model, device)
    if model is None:
        _require_no_fidelity(path, fidelity)
        return pipeline_for(_run(path, direction, device, runs), tiles)
    return pipeline_for(_onnx(_with_fidelity(model, fidelity), direction, device, compute, binding), tiles)


def require_translator(pipeline: Pipeline, name: str) -> Translate:
    """The pipeline, where it turns pictures into pictures. Raises ConfigurationError that says what to use instead."""
    if isinstance(pipeline, Translate):
        return pipeline
    card = pipeline.card
    raise ConfigurationError(f"{name} is for the task {card.task!r}: use {command_for(name, card)}")


def _require_compute(compute: Compute, device: Device) -> None:
    if compute != "fp32" and device != "openvino":
        raise ConfigurationError(f"--compute {compute} is for --device openvino; leave it out with {device}")


def _require_binding(binding: Binding, model: Path | None, device: Device) -> None:
    if binding != "no" and (model is None or device == "openvino"):
        raise ConfigurationError(f"--bind {binding} is for .onnx files on cpu, cuda and tensorrt; leave it out")


def _require_no_fidelity(path: str | Path, fidelity: float | None) -> None:
    if fidelity is not None:
        raise ConfigurationError(
            f"--fidelity {fidelity:g}: {path} is not a bundle or an .onnx file with another one beside it to be mixed "
            "with"
        )


# Each runtime is imported where it is needed: a run needs torch, and an .onnx file must not.


def _with_fidelity(model: Path, fidelity: float | None) -> Path:
    if fidelity is None:
        return model
    from pipelines.fidelity import with_fidelity

    return with_fidelity(model, fidelity)


def _run(path: str | Path, direction: str | None, device: Device, runs: Path) -> Runtime:
    if device in ("tensorrt", "openvino"):
        raise DeviceError(f"--device {device} runs .onnx files; export the run first: pixturn export {path}")
    folder = find_run(path, runs)
    from pipelines.trained import Trained
    from translate.devices import pick_device

    return Trained.for_use(folder).runtime(direction, pick_device(device))


def _onnx(path: str | Path, direction: str | None, device: Device, compute: Compute, binding: Binding) -> Runtime:
    if direction is not None:
        raise ConfigurationError(f"--direction {direction}: {path} holds one direction; leave the option out")
    if device == "mps":
        raise DeviceError("--device mps: an .onnx file runs on cpu, cuda, tensorrt or openvino")
    if device == "openvino":
        from translate.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime(path, compute=compute)
    from translate.runtime.onnx import OnnxRuntime

    return OnnxRuntime(path, device=device, binding=binding)
