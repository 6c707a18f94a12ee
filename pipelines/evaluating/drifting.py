"""Has what arrives in production left what a model was trained on? Which pictures say so?"""

from dataclasses import dataclass
from typing import Literal

import torch

from pipelines.evaluating.comparing import FEWEST
from pipelines.evaluating.features import FeaturesName, features_named
from pipelines.evaluating.notes import notes
from pipelines.evaluating.ranking import Ranked, surest
from pipelines.evaluating.sets import PictureSet, Progress, read_sets, silent
from pipelines.evaluating.sheet import Row, sheet
from pipelines.evaluating.sources import Pictures, source_of
from translate.errors import DatasetError
from translate.metrics.two_sample import FEWEST_FOR_POWER, TwoSampleTest, held_out_scores, two_sample_test

AT_MOST = 2000
ALPHA = 0.05

Verdict = Literal["drift", "no drift seen", "undecided"]

_SHOWN = 10
_CLEAR, _STRONG = 0.65, 0.85
_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Drift:
    """The test, and every production picture ranked: the ones least like the training pictures first."""

    features: str
    training: PictureSet
    production: PictureSet
    test: TwoSampleTest
    ranked: tuple[Ranked, ...]
    typical: tuple[Ranked, ...]
    notes: tuple[str, ...]
    alpha: float
    seed: int

    @property
    def verdict(self) -> Verdict:
        """Undecided where there are too few pictures to find anything in."""
        if min(len(self.training), len(self.production)) < FEWEST_FOR_POWER:
            return "undecided"
        return "drift" if self.test.p_exact < self.alpha else "no drift seen"

    @property
    def words(self) -> str:
        """The verdict as a sentence or two."""
        return _WORDS[self.verdict](self)

    def sheet(self) -> bytes:
        """A PNG: the ten production pictures that are least like the training ones, over ten of those."""
        return sheet(
            [
                Row(title="production: least like the training pictures", pictures=self.ranked[:_SHOWN]),
                Row(title="training: least like the production pictures", pictures=self.typical),
            ]
        )


def drift(
    training: Pictures,
    production: Pictures,
    *,
    features: FeaturesName = "effnet-lite1",
    alpha: float = ALPHA,
    at_most: int = AT_MOST,
    seed: int = 0,
    device: torch.device = _CPU,
    progress: Progress = silent,
) -> Drift:
    """Test whether production pictures are from the distribution of the training pictures, and rank them.

    The p-value comes from one half that is held out from the classifier; the ranking from five classifiers, each of
    which scores the fifth that it never saw.

    Args:
        training: What the model was trained on: a folder, or arrays (uint8, H x W x 1, 3 or 4) of any sizes.
        production: What it is given now, likewise.
        features: Through which network they are looked at.
        alpha: The chance of crying drift where there is none.
        at_most: Of a set.
        seed: Draws which pictures, and the halves.
        device: Where the network runs.
        progress: Told of every picture read and looked at.

    Raises:
        ConfigurationError: Features whose weights are not there.
        DatasetError: A folder without pictures, or fewer than six pictures.
    """
    eyes = features_named(features)
    sources = (source_of(training, "the training pictures"), source_of(production, "the production pictures"))
    training_set, production_set = read_sets(
        sources, at_most=(at_most, at_most), seed=seed, largest_side_px=eyes.largest_side_px, progress=progress
    )
    _require_enough(training_set, production_set)
    known, new = (eyes.of(pictures, device, progress) for pictures in (training_set, production_set))
    scores = held_out_scores(new, known, seed=seed)
    typical = surest(training_set, -scores.second, _SHOWN)
    return Drift(
        features=eyes.label,
        training=training_set,
        production=production_set,
        test=two_sample_test(new, known, seed=seed),
        ranked=tuple(surest(production_set, scores.first, len(production_set))),
        typical=tuple(typical),
        notes=tuple(notes(training_set, production_set)),
        alpha=alpha,
        seed=seed,
    )


def _require_enough(*sets: PictureSet) -> None:
    for pictures in sets:
        if len(pictures) < FEWEST:
            raise DatasetError(
                f"{pictures.where} has {len(pictures)} pictures that can be read: give at least {FEWEST}, "
                "better hundreds"
            )


def _drifted(result: Drift) -> str:
    accuracy = result.test.accuracy
    strength = "slightly" if accuracy < _CLEAR else "clearly" if accuracy < _STRONG else "strongly"
    return (
        f"Drift: the production pictures differ {strength} from the training pictures. A fresh classifier tells them "
        f"apart in {accuracy:.0%} of {result.test.held_out} cases that it never saw (guessing: 50 %, "
        f"p = {result.test.p_exact:.2g})."
    )


def _same(result: Drift) -> str:
    test = result.test
    return (
        f"No drift seen: a fresh classifier tells production from training pictures in {test.accuracy:.0%} of "
        f"{test.held_out} cases that it never saw (guessing: 50 %, p = {test.p_exact:.2g}). With so many pictures it "
        f"would have been noticed from {test.detectable(result.alpha):.0%} on. "
        "Where only a few pictures are odd, that escapes it: look at the sheet."
    )


def _undecided(result: Drift) -> str:
    fewest = min(len(result.training), len(result.production))
    return (
        f"Undecided: {fewest} pictures are too few, the test has no power below {FEWEST_FOR_POWER} a side. "
        f"Give more of them, better hundreds (p = {result.test.p_exact:.2g} so far)."
    )


_WORDS = {"drift": _drifted, "no drift seen": _same, "undecided": _undecided}
