"""A disk that takes no more, as the kernel can play it: files may not grow beyond a size."""

import resource
import shutil
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def file_size_limit(size):
    """No file of this process may grow beyond `size` bytes; Python ignores SIGXFSZ, so writes fail with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_file_system(folder, options):
    """A file system of its own in a new folder, so large as the options of tmpfs say."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
