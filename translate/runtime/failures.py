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
    "valid cudnn algorithm",
    "unable to find an engine",
)
"""Parts of what engines, CUDA, cuDNN and cuBLAS say where memory runs out; there is no error type for it. The last two
are what torch says where none of cuDNN's kernels found room to be tried in."""


def is_out_of_memory(problem: BaseException) -> bool:
    """Whether an error says that memory ran out, of the machine or of a GPU."""
    return isinstance(problem, MemoryError) or any(sign in str(problem).lower() for sign in _SIGNS_OF_NO_MEMORY)


def failed_run(problem: Exception, given: Arrays, device: str) -> PixturnError:
    """The error for a run that failed, ready to be raised.

    DeviceError or StorageError where the memory of a GPU or of the machine does not hold this input; ModelError where
    the model cannot be run on it.
    """
    shapes = ", ".join(" x ".join(map(str, array.shape)) for array in given.values())
    if is_out_of_memory(problem):
        error = DeviceError if device.startswith(("cuda", "tensorrt", "mps")) else StorageError
        return error(
            f"Not enough memory on {device} for an input of {shapes}: give smaller pictures, fewer at a "
            "time, or cut them into tiles (--tile-px; a trained run is exported for that: pixturn export); or end what "
            "else uses that memory"
        )
    return ModelError(f"The model cannot be run on {shapes} with {device}: {problem}")
