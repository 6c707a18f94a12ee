"""What an error of an engine is to the user."""

from typing import Final

from translate.errors import DeviceError, ModelError, PixturnError, StorageError
from translate.runtime.base import Arrays

_SIGNS_OF_NO_MEMORY: Final = (
    "failed to allocate",
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "bad_alloc",
    "bad allocation",
    "available memory of",
    "alloc_failed",
)
"""Parts of what engines, CUDA, cuDNN and cuBLAS say where memory runs out; there is no error type for it."""


def failed_run(problem: Exception, given: Arrays, device: str) -> PixturnError:
    """The error for a run that failed, ready to be raised.

    DeviceError or StorageError where the memory of a GPU or of the machine does not hold this input; ModelError where
    the model cannot be run on it.
    """
    shapes = ", ".join(" x ".join(map(str, array.shape)) for array in given.values())
    if isinstance(problem, MemoryError) or any(sign in str(problem).lower() for sign in _SIGNS_OF_NO_MEMORY):
        error = DeviceError if device.startswith(("cuda", "tensorrt", "mps")) else StorageError
        return error(
            f"The memory of the device {device} does not hold a run on {shapes}: give smaller pictures, fewer at a "
            "time, or cut them into tiles (--tile-px; a trained run is exported for that: pixturn export); or end what "
            "else uses that memory"
        )
    return ModelError(f"The model cannot be run on {shapes} with {device}: {problem}")
