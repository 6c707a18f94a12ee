"""How many pixels Pillow takes: what it only warns of is an error here, and its ceiling is raised for a moment only."""

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from PIL import Image

# Pillow only warns between one and two times its own ceiling. A filter of this one category, set once, is safe where
# several threads read; warnings.catch_warnings is not.
warnings.simplefilter("error", Image.DecompressionBombWarning)

PILLOW_MAX_PIXELS: Final = 89_478_485
_raising = threading.Lock()


@contextmanager
def pillow_takes(pixels: int) -> Generator[None]:
    """Let Pillow open, or load, a picture of so many pixels; what is allowed is up to `check_limits`.

    Pillow's ceiling holds for the whole process, of which others may be a part: it is raised for the moment only, by
    one thread at a time, and never taken away.
    """
    if pixels <= PILLOW_MAX_PIXELS and Image.MAX_IMAGE_PIXELS == PILLOW_MAX_PIXELS:
        yield
        return
    with _raising:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = max(pixels, PILLOW_MAX_PIXELS)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
