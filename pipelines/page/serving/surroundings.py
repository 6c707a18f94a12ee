"""What the process around the page is held to while it serves: its environment, and what Pillow opens."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image

from pipelines.page.serving.intake import FORMATS

_PREFIX: Final = "GRADIO_"


@contextmanager
def own_environment(folder: Path) -> Generator[None]:
    """Gradio takes orders from variables (open folders, share, edit itself): none but ours are there meanwhile."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_PREFIX)}
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_EXAMPLES_CACHE"] = str(folder / "examples")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(_PREFIX)]:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def few_formats(max_pixels: int) -> Generator[None]:
    """Gradio opens uploads too, to look at them: only pictures of the page's formats and size, whatever they claim.

    This holds for the whole process; code that opens other formats while the page is served names them
    (`Image.open(..., formats=...)`).
    """
    Image.init()
    formats, most = list(Image.ID), Image.MAX_IMAGE_PIXELS
    Image.ID[:] = [name for name in formats if name in FORMATS]
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        yield
    finally:
        Image.ID[:] = formats
        Image.MAX_IMAGE_PIXELS = most
