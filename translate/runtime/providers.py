"""Which of ONNX Runtime's execution providers a device stands for, and why one of them cannot start.

ONNX Runtime that is asked for CUDA and does not get it goes on with the CPU. Here, the device that was asked for is
there, or there is a reason.
"""

import contextlib
import ctypes
import io
import logging
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Final, Literal

from translate.errors import DeviceError
from translate.storage.cache import cache_folder

OnnxDevice = Literal["auto", "cpu", "cuda", "tensorrt"]
Provider = tuple[str, dict[str, str]]
"""A provider's name with its options."""

CPU: Final[Provider] = ("CPUExecutionProvider", {})

_CUDA: Final = "CUDAExecutionProvider"
_TENSORRT: Final = "TensorrtExecutionProvider"
_DEVICES: Final[Mapping[str, OnnxDevice]] = {CPU[0]: "cpu", _CUDA: "cuda", _TENSORRT: "tensorrt"}

_CUDA_OPTIONS: Final = {
    # Grow by what is needed rather than to the next power of two: pictures are large, and the arena gives nothing back.
    "arena_extend_strategy": "kSameAsRequested",
    # An exhaustive search would be paid again at every new size of picture.
    "cudnn_conv_algo_search": "HEURISTIC",
    # fp32 means fp32: the exported file was proven at that precision, and TF32 keeps 10 bits of the 23.
    "use_tf32": "0",
}
_WINDOWS: Final = sys.platform == "win32"
_DRIVER: Final = "nvcuda.dll" if _WINDOWS else "libcuda.so.1"
_CUDNN: Final = "cudnn64_9.dll" if _WINDOWS else "libcudnn.so.9"
_NVINFER: Final = "nvinfer_10.dll" if _WINDOWS else "libnvinfer.so.10"
_INSTALL_GPU: Final = "pip install 'pixturn[gpu]'"

_log = logging.getLogger(__name__)


def providers_for(device: OnnxDevice) -> list[Provider]:
    """What to ask a session for, the best first.

    `auto` is CUDA where it can start; where there is a driver and it cannot, a warning says why.

    Raises:
        DeviceError: the device was asked for by name and cannot start, with the reason.
    """
    # Without a driver there is no GPU to speak of, and no reason to warn.
    if device == "cpu" or (device == "auto" and not has_driver()):
        return [CPU]
    reason = _why_not_tensorrt() if device == "tensorrt" else _why_not_cuda()
    if reason is None:
        return _accelerated(device)
    if device == "auto":
        warn_of_cpu(reason)
        return [CPU]
    raise refused(device, reason)


def device_of(provider: str) -> OnnxDevice:
    """The device that a provider computes on, by the provider's name."""
    return _DEVICES[provider]


def refused(device: OnnxDevice, reason: str) -> DeviceError:
    """The error for a device that was asked for and cannot be had, ready to be raised."""
    return DeviceError(f"--device {device}: {reason}. Nothing was run; --device cpu works without it")


def warn_of_cpu(reason: str) -> None:
    """Say that `auto` takes the CPU although there is a driver."""
    _log.warning("There is a CUDA driver, but ONNX Runtime could not start CUDA: this runs on the CPU (%s)", reason)


def has_driver() -> bool:
    """Whether NVIDIA's driver is installed."""
    return _can_load(_DRIVER)


def _accelerated(device: OnnxDevice) -> list[Provider]:
    cuda = (_CUDA, _CUDA_OPTIONS)
    return [_tensorrt(), cuda, CPU] if device == "tensorrt" else [cuda, CPU]


def _tensorrt() -> Provider:
    """Building an engine takes minutes, so engines are kept in the user's cache folder."""
    options = {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(cache_folder() / "tensorrt")}
    return _TENSORRT, options


def _why_not_cuda() -> str | None:
    return _not_built_in(_CUDA) or _no_gpu() or _missing_libraries()


def _why_not_tensorrt() -> str | None:
    return _not_built_in(_TENSORRT) or _why_not_cuda() or _missing_tensorrt()


def _not_built_in(provider: str) -> str | None:
    import onnxruntime

    if provider in onnxruntime.get_available_providers():
        return None
    return f"the installed onnxruntime is built without it; pip uninstall -y onnxruntime, then {_INSTALL_GPU}"


def _no_gpu() -> str | None:
    """Ask the driver: it may be missing, older than this ONNX Runtime's CUDA, or without a GPU."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError as problem:
        return f"there is no NVIDIA driver ({problem})"
    status = driver.cuInit(0)
    if status:
        return f"the NVIDIA driver finds no GPU that it can use (cuInit gives {status}; see nvidia-smi)"
    number = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(number))
    has, needs = number.value // 1000, _cuda_major()
    return f"the NVIDIA driver knows CUDA {has}, and ONNX Runtime needs {needs}" if has < needs else None


def _cuda_major() -> int:
    """The CUDA that the installed ONNX Runtime is built for."""
    import onnxruntime

    return int(str(onnxruntime.cuda_version).partition(".")[0])


def _missing_libraries() -> str | None:
    """Load CUDA's libraries from their pip packages, or from wherever the system has them."""
    import onnxruntime

    # It prints what it does not find, and raises nothing.
    with contextlib.redirect_stdout(io.StringIO()) as said:
        onnxruntime.preload_dlls()
    if said.getvalue().strip():
        return f"{said.getvalue().splitlines()[0]}; {_INSTALL_GPU}"
    return None if _can_load(_CUDNN) else f"{_CUDNN} cannot be loaded; {_INSTALL_GPU}"


def _missing_tensorrt() -> str | None:
    """TensorRT's package loads its libraries when it is imported."""
    with contextlib.suppress(ImportError):
        import_module("tensorrt")
    return None if _can_load(_NVINFER) else f"{_NVINFER} cannot be loaded; pip install 'tensorrt-cu13>=10,<11'"


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
