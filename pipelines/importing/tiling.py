"""Whether a foreign network may be run in tiles: read from its graph, as a plan of its tiles is."""

from dataclasses import replace
from typing import Final

from onnx import ModelProto

from translate.card import Card, Tiling
from translate.errors import ModelError
from translate.runtime.tiling import TILE_PX, Tiled

_LARGE_PX: Final = 8192


def tiling_of(model: ModelProto, card: Card) -> tuple[Tiling, str]:
    """The tiling class of a graph, and why it is that, in a sentence.

    *Exact* where every layer's reach is known and none looks at the whole picture, *whole-picture statistics* where
    all that it takes of the whole picture are means. Else, and where a pixel sees farther than a tile is wide,
    *forbidden*.
    """
    try:
        tiled = Tiled(model.SerializeToString(), replace(card, tiling="exact"))
        need = tiled.need(_LARGE_PX, _LARGE_PX)
    except ModelError as problem:
        return "forbidden", str(problem)
    sees = f"a pixel sees {need.halo_px} px around"
    if need.halo_px > TILE_PX:
        return "forbidden", f"In tiles it would be slower than as a whole: {sees}."
    if need.stages > 1:
        return "whole-picture statistics", f"Means are taken over the whole picture {need.stages - 1} times; {sees}."
    return "exact", f"Nothing depends on the whole picture, and {sees}."
