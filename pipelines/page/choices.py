"""What a visitor chose beside pictures, and the model that follows from it."""

from dataclasses import dataclass
from typing import Final

from pipelines.batch.results import Format
from pipelines.large import Tiles
from pipelines.page.again import Loading
from pipelines.page.bearing import MOST_WHOLE_PX, can_be_cut
from pipelines.page.bench import Bench
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.page.weights import MOST_FAITHFUL, weights_of
from pipelines.tasks import Translate, pipeline_for
from translate.errors import ConfigurationError
from translate.runtime.tiling import TILE_PX

_TILED_FROM_PX: Final = 1_000_000
"""Larger pictures go in tiles wherever that costs nothing: how far it is can then be told."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A model, between its two sets of weights where it has them, and the format of results."""

    offer: Offer
    file_format: Format = "png"
    fidelity: float = MOST_FAITHFUL

    def loading(self, height_px: int = 0, width_px: int = 0) -> Loading:
        """How the model is loaded for a picture of that size (or for any, if it is not said)."""
        card = self.offer.card
        whole_px = _TILED_FROM_PX if card.tiling == "exact" else MOST_WHOLE_PX  # statistics take a pass for each norm
        is_large = height_px * width_px > whole_px and max(height_px, width_px) > TILE_PX
        return Loading(
            spoken=self.offer.spoken,
            fidelity=None if self.fidelity == MOST_FAITHFUL else self.fidelity,
            tile_px=TILE_PX if is_large and can_be_cut(card) else None,
        )

    def opened(self, loading: Loading, bench: Bench, job: Job) -> Translate:
        """The model, ready for one job. Raises PixturnError."""
        path = weights_of(self.offer, self.fidelity)
        if path not in bench.shelf:
            job.say(f"Loading {self.offer.name}")
        folder = bench.intake.folder
        runtime = bench.shelf.runtime(path).for_job(job, scratch_bytes=folder.scratch_bytes)
        tiles = Tiles(tile_px=loading.tile_px, scratch=folder.scratch, progress=job.steps("tiles"))
        pipeline = pipeline_for(runtime, tiles)
        if not isinstance(pipeline, Translate):
            raise ConfigurationError(f"{self.offer.name} does not turn pictures into pictures")
        return pipeline


def by_whom(offer: Offer, device: str) -> str:
    """Which model it was, in which precision, and where it ran."""
    return f"{offer.name}, {offer.card.precision} on {device}"
