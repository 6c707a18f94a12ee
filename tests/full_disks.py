"""A disk that takes no more, as the kernel can play it: files may not grow beyond a size."""

import resource
from contextlib import contextmanager


@contextmanager
def file_size_limit(size):
    """No file of this process may grow beyond `size` bytes; Python ignores SIGXFSZ, so writes fail with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
