"""Runs an `.onnx` model on a picture of any size in constant memory, with the result of the whole picture."""

import logging
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from translate.card import Card
from translate.errors import ModelError
from translate.runtime.codec import Made, Sample
from translate.runtime.session import new_session
from translate.runtime.tiling.graph import read_graph
from translate.runtime.tiling.pictures import Canvas, PaddedPicture, Sink
from translate.runtime.tiling.piece import OpenSession, Piece
from translate.runtime.tiling.plan import Need, Plan
from translate.runtime.tiling.play import Play
from translate.runtime.tiling.spill import require_space
from translate.runtime.tiling.stages import stages_of

TILE_PX: Final = 512
"""Side of a tile, without its border."""

_PLANS: Final = 4
"""Of the latest pictures: each is asked for its need several times, and its size often comes again."""

Progress = Callable[[int, int], None]
"""Called after each tile with the number of tiles that are done, of all stages together, and of all there are."""

_log = logging.getLogger(__name__)


class Tiled:
    """One model, ready to be run tile by tile.

    Tiles change nothing: statistics are those of the whole picture, and every tile sees as far around as the network
    does. What is made equals the untiled result but for rounding: to 1e-4 of [-1, 1] where the file and the engine
    compute in fp32. With whole-picture statistics, rounding at other places shows in coarser numbers, though less than
    they cost anyway: fp16 differs by at most 0.01 of [-1, 1] and a mean of 0.05 levels of 255, int8 by a mean of 0.05
    levels (one pixel may fall on another of its few steps), bf16 by what bf16 differs from fp32.

    Args:
        model: the bytes of an `.onnx` file that was checked and tried.
        card: its card.
        device: where it is computed, in words.
        open_session: starts there what runs a piece of the model, from its bytes.

    Raises:
        ModelError: the model cannot be run in tiles; the message says why.
    """

    def __init__(
        self, model: bytes, card: Card, *, device: str = "cpu", open_session: OpenSession = new_session
    ) -> None:
        _require_tiles(card)
        self.card, self.device = card, device
        self._open_session = open_session
        self._graph = read_graph(model)
        self._stages = stages_of(self._graph)
        self._plan = lru_cache(_PLANS)(partial(Plan, self._graph, self._stages, card))

    def need(self, height_px: int, width_px: int, *, tile_px: int = TILE_PX) -> Need:
        """What a picture of this size takes. Raises ModelError for a model that cannot be run in tiles."""
        return self._plan(height_px, width_px, tile_px).need()

    def run(
        self,
        sample: Sample,
        *,
        tile_px: int = TILE_PX,
        scratch: Path | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Made]:
        """The outputs by port name: H x W x C uint8 (label maps: H x W x 1), the card's scale times as large.

        Args:
            sample: by port name, pictures of one size: H x W x C uint8; label maps of integers, H x W or H x W x 1.
            tile_px: side of the tiles; it is rounded up to a multiple of what the network's steps and the disk want.
            scratch: folder for maps that wait on disk; the system's temporary folder, if None. Nothing stays there.
            progress: told how far it is.

        Raises:
            ModelError: the model cannot be run in tiles.
            StorageError: the disk has not the room; before anything is computed, unless others fill it meanwhile.
        """
        height_px, width_px = _size(sample)
        scale = self.card.scale
        canvases = {port.name: Canvas(scale * height_px, scale * width_px, port) for port in self.card.output_pictures}
        self.run_into(canvases, sample, tile_px=tile_px, scratch=scratch, progress=progress)
        return {name: canvas.pixels for name, canvas in canvases.items()}

    def run_into(
        self,
        sinks: Mapping[str, Sink],
        sample: Sample,
        *,
        tile_px: int = TILE_PX,
        scratch: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        """As `run`, but what is made goes to `sinks` (by port name) as numbers in about [-1, 1], tile by tile."""
        plan, folder = self._plan(*_size(sample), tile_px), scratch or Path(tempfile.gettempdir())
        need, done = plan.need(), 0
        _log.info("%d tiles; %.0f MB of disk for a while, in %s", need.tiles, need.disk_bytes / 1e6, folder)
        require_space(folder, need.disk_bytes)
        with Play(plan, self._pictures(sample), sinks, folder) as play:
            for stage in self._stages:
                for _ in play.stage(stage, Piece(self._graph, stage, self._open_session, self.device)):
                    done += 1
                    if progress is not None:
                        progress(done, need.tiles)

    def _pictures(self, sample: Sample) -> dict[str, PaddedPicture]:
        ports = {port.name: port for port in self.card.input_pictures}
        return {name: PaddedPicture(sample[name], port, self._graph.dtype(name)) for name, port in ports.items()}


def _size(sample: Sample) -> tuple[int, int]:
    height_px, width_px = next(iter(sample.values())).shape[:2]
    return height_px, width_px


def _require_tiles(card: Card) -> None:
    if card.pixels:
        raise ModelError(
            f"{card.name} cannot be run in tiles: the file takes bytes, and pads inside. Export it without --pixels"
        )
    if card.tiling == "forbidden":
        raise ModelError(
            f"{card.name} cannot be run in tiles: its card forbids it, as for a U-Net, where one pixel depends on "
            "nearly the whole picture. Make the picture smaller; of your own models, a ResNet can be run in tiles"
        )
