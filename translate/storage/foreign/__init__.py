"""Weights that others saved: read without running a line of what they wrote.

`read_weights(path)` takes `.pth` and `.pt` files (zip or the older pickle) and `.safetensors`. A pickle goes through
`torch.load(weights_only=True)` and never any other way; what surrounds it is checked before, and the tensors after.
"""

from translate.storage.foreign.limits import Limits
from translate.storage.foreign.reading import ForeignWeights, Format, read_weights

__all__ = ["ForeignWeights", "Format", "Limits", "read_weights"]
