"""Memory that runs out, on the device or in the host, told as what it is and with what to lower."""

from collections.abc import Generator
from contextlib import contextmanager

import torch

from translate.errors import StorageError

_PHRASES = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "alloc_failed",
    "valid cudnn algorithm",
    "unable to find an engine",
)
"""Parts of what torch's allocators, CUDA, cuBLAS and cuDNN say, in plain RuntimeErrors. The last two are what torch
says where none of cuDNN's kernels found room to be tried in."""


@contextmanager
def memory_told() -> Generator[None]:
    """Turn whatever says that memory ran out into a StorageError that names the options to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        if not _is_out_of_memory(problem):
            raise
        first = str(problem).partition("\n")[0]
        raise StorageError(
            f"There is not enough memory ({first or type(problem).__name__}): lower --batch-size (with "
            "--accumulate the gradient stays that of a larger batch) or --augmentation.crop-px. "
            "The last checkpoint is whole"
        ) from problem


def _is_out_of_memory(problem: Exception) -> bool:
    return isinstance(problem, MemoryError | torch.OutOfMemoryError) or any(
        words in str(problem).lower() for words in _PHRASES
    )
