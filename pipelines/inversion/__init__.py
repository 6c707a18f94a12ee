"""From a picture back to the code that a generator makes it from. Needs torch."""

from pipelines.inversion.picture import invert_picture
from pipelines.inversion.search import Inversion, invert, perceptual_error

__all__ = ["Inversion", "invert", "invert_picture", "perceptual_error"]
