"""How the input of a pair is made from a photo: reduced, degraded, its colours taken away, or holes torn into it.

Each is a frozen dataclass in a file of its own, with

- `scale`: how much larger the photo is than what is made of it;
- `ports(photos)`: what is made, for photos of these ports;
- `make(photos, draws)`: N x C x H x W float32 in [-1, 1] on any device to the input's tensor, its ports stacked, on the
  256 levels that a file would have. `draws` are one numpy generator a photo, and all that is random comes from them: so
  a photo's input is the same on every device, in every batch, and for any number of workers.
"""

from translate.data.making.degraded import Degraded
from translate.data.making.grey import Grey
from translate.data.making.holes import Holes
from translate.data.making.shrunk import Shrunk

Making = Shrunk | Degraded | Grey | Holes

__all__ = ["Degraded", "Grey", "Holes", "Making", "Shrunk"]
