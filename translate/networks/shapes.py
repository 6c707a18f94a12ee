"""What a sample looks like without its batch: `(C, H, W)` for pictures, `(D,)` for vectors."""

from math import prod

from translate.errors import ConfigurationError

Shape = tuple[int, ...]
SEED_PX = 4
"""Side of the map at which generators of pictures begin and discriminators end."""


def numel(shape: Shape) -> int:
    """Numbers in one sample."""
    return prod(shape)


def is_picture(shape: Shape) -> bool:
    """Whether samples have rows and columns. Raises ConfigurationError for what is neither picture nor vector."""
    if len(shape) not in (1, 3) or min(shape) < 1:
        raise ConfigurationError(f"A sample of shape {shape} is neither a picture (C, H, W) nor a vector (D,)")
    return len(shape) == 3


def require_picture(shape: Shape, kind: str) -> None:
    """Raises ConfigurationError where a network of `kind`, which convolves, would be given vectors."""
    if not is_picture(shape):
        raise ConfigurationError(
            f"A network of kind {kind} convolves pictures, and the samples are vectors of {shape[0]}: choose kind mlp"
        )


def doublings(shape: Shape, kind: str) -> int:
    """How often the seed of 4 px doubles to become the picture: 1 for 8 px, 4 for 64 px.

    Raises:
        ConfigurationError: no picture, not square, or a side that is not 8, 16, 32, ... px.
    """
    require_picture(shape, kind)
    height, width = shape[1:]
    times = (height // SEED_PX).bit_length() - 1
    if height != width or times < 1 or height != SEED_PX * 2**times:
        raise ConfigurationError(
            f"Pictures are {height} x {width} px, and a network of kind {kind} takes squares of 8, 16, 32, 64, ... px: "
            f"resize or pad them to {_nearest_above(max(height, width))} px, or choose kind mlp"
        )
    return times


def level_widths(width: int, levels: int) -> list[int]:
    """Channels from the full size inwards: twice as many a level, up to 8 `width`."""
    return [width * min(2**level, 8) for level in range(levels)]


def _nearest_above(side_px: int) -> int:
    return max(8, 1 << (side_px - 1).bit_length())
