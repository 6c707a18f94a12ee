"""How large a picture may be that a model takes here: the server's memory is everybody's."""

from typing import Final

from translate.card import Card
from translate.errors import PictureError

_MOST_MADE_PX: Final = 100_000_000
"""Of a result that is made in tiles: it lies in memory several times while it is written and shown."""

MOST_WHOLE_PX: Final = 6_000_000
"""Of a picture that goes through a network as a whole, which takes about 0.7 GB a megapixel."""


def can_be_cut(card: Card) -> bool:
    """Whether tiles give what the whole picture gives.

    Those of whole-picture statistics wait on disk between passes; `pipelines.page.stoppable` sees that there is room.
    """
    return card.tiling != "forbidden" and not card.pixels


def require_bearable(card: Card, height_px: int, width_px: int) -> None:
    """Refuse a picture that would take too much memory.

    Raises:
        PictureError: `too_many_pixels`.
    """
    pixels = height_px * width_px
    most = _MOST_MADE_PX // card.scale**2 if can_be_cut(card) else MOST_WHOLE_PX
    if pixels > most:
        why = "" if can_be_cut(card) else ", since it cannot be run in tiles"
        raise PictureError(
            "too_many_pixels",
            f"This model takes {most / 1e6:.1f} megapixels at most here{why}, and the picture has {pixels / 1e6:.1f}: "
            "shrink it",
        )
