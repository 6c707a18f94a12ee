"""Memory that runs out, on the device or in the host, told as what it is and with what to lower."""

from collections.abc import Generator
from contextlib import contextmanager

from translate.errors import StorageError
from translate.runtime.failures import is_out_of_memory


@contextmanager
def memory_told() -> Generator[None]:
    """Turn whatever says that memory ran out into a StorageError that names the options to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        if not is_out_of_memory(problem):
            raise
        first = str(problem).partition("\n")[0]
        raise StorageError(
            f"There is not enough memory ({first or type(problem).__name__}): lower --batch-size (with "
            "--accumulate the gradient stays that of a larger batch) or --augmentation.crop-px. "
            "The last checkpoint is whole"
        ) from problem
