"""What a model makes against real pictures, as two sets."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from pipelines.evaluating.comparing import Comparison, compare
from pipelines.evaluating.features import USUAL, Features, FeaturesName, features_named
from pipelines.evaluating.notes import notes
from pipelines.evaluating.ranking import Ranked, surest_of_both
from pipelines.evaluating.sets import PictureSet, Progress, read_sets, silent
from pipelines.evaluating.sheet import Row, sheet
from pipelines.evaluating.sources import Pictures, source_of
from translate.metrics.distribution import Embeddings
from translate.metrics.two_sample import held_out_scores

AT_MOST = 2000
"""Pictures of a set beyond this number are left out: time grows with the square."""

_SHOWN = 20
_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """All figures, and what they rest on.

    `reference` is what a perfect generator would score: as many *other* real pictures against the same real ones; None
    where the real set is not twice as large.
    """

    features: str
    frechet_name: str
    made: PictureSet
    real: PictureSet
    comparison: Comparison
    reference: Comparison | None
    surest_made: tuple[Ranked, ...]
    surest_real: tuple[Ranked, ...]
    notes: tuple[str, ...]
    seed: int

    def sheet(self) -> bytes:
        """A PNG: what was made that is surest not real, and the real pictures that are surest not made."""
        return sheet(
            [
                Row(title="made: the classifier is surest of these (it never saw them)", pictures=self.surest_made),
                Row(title="real: the classifier is surest of these (it never saw them)", pictures=self.surest_real),
            ]
        )


def evaluate(
    made: Pictures,
    real: Pictures,
    *,
    features: FeaturesName = USUAL,
    at_most: int = AT_MOST,
    seed: int = 0,
    device: torch.device = _CPU,
    progress: Progress = silent,
) -> Evaluation:
    """Compare two sets of pictures at equal counts: those of the smaller one, and at most `at_most`.

    Args:
        made: What is judged: a folder, or arrays (uint8, H x W x 1, 3 or 4) of any sizes.
        real: What it should be like, likewise.
        features: Through which network they are looked at.
        at_most: Of a set.
        seed: Draws which pictures, the halves of the test, and the halves of KID's standard error.
        device: Where the network runs.
        progress: Told of every picture read and looked at.

    Raises:
        ConfigurationError: Features whose weights are not there.
        DatasetError: A folder without pictures, or fewer than six pictures.
    """
    eyes = features_named(features)
    made_set, all_real = read_sets(
        (source_of(made, "the made pictures"), source_of(real, "the real pictures")),
        at_most=(at_most, 2 * at_most),
        seed=seed,
        largest_side_px=eyes.largest_side_px,
        progress=progress,
    )
    count = min(len(made_set), len(all_real))
    compared, spare = (made_set.part(0, count), all_real.part(0, count)), all_real.part(count, 2 * count)
    return _evaluation(eyes, *compared, spare, look=partial(eyes.of, device=device, progress=progress), seed=seed)


def _evaluation(
    eyes: Features,
    made: PictureSet,
    real: PictureSet,
    spare: PictureSet,
    *,
    look: Callable[[PictureSet], Embeddings],
    seed: int,
) -> Evaluation:
    """Of two sets of equal count; `spare` are further real pictures, for the reference where there are as many."""
    made_rows, real_rows = look(made), look(real)
    scores = held_out_scores(made_rows, real_rows, seed=seed)
    surest_made, surest_real = surest_of_both(made, real, scores, _SHOWN)
    return Evaluation(
        features=eyes.label,
        frechet_name=eyes.frechet,
        made=made,
        real=real,
        comparison=compare(made_rows, real_rows, seed=seed),
        reference=compare(look(spare), real_rows, seed=seed) if len(spare) == len(real) else None,
        surest_made=tuple(surest_made),
        surest_real=tuple(surest_real),
        notes=tuple(notes(made, real)),
        seed=seed,
    )
