"""Which pictures tell two sets apart: ranked by classifiers that never saw them."""

from dataclasses import dataclass

import numpy as np

from pipelines.evaluating.sets import PictureSet
from translate.data.pictures import Pixels
from translate.metrics.two_sample import HeldOutScores


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """One picture with its score: above 0 it looks like the first set (made, production), below like the second."""

    name: str
    score: float
    pixels: Pixels


def surest(pictures: PictureSet, scores: np.ndarray, most: int) -> list[Ranked]:
    """The `most` pictures with the highest scores, the highest first."""
    order = np.argsort(-scores, kind="stable")[:most]
    return [
        Ranked(name=pictures.names[index], score=float(scores[index]), pixels=pictures.pixels[index]) for index in order
    ]


def surest_of_both(
    first: PictureSet, second: PictureSet, scores: HeldOutScores, most: int
) -> tuple[list[Ranked], list[Ranked]]:
    """The pictures of the first set that look most like it, and those of the second that look most like that."""
    of_second = [
        Ranked(name=each.name, score=-each.score, pixels=each.pixels) for each in surest(second, -scores.second, most)
    ]
    return surest(first, scores.first, most), of_second
