"""What is told of an evaluation, whatever was evaluated: on the terminal, on a page, and as a document."""

from dataclasses import dataclass

from pipelines.evaluating.documents import Document, evaluation_document
from pipelines.evaluating.evaluation import Evaluation
from pipelines.evaluating.figures import Figure, figures
from pipelines.evaluating.sets import PictureSet


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """An evaluation in words and figures.

    `about` says what was compared and how; `sets` are the pictures, for what was left out of them; `sheet` is a PNG.
    """

    title: str
    about: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    sets: tuple[PictureSet, ...]
    document: Document
    sheet: bytes


def told(evaluation: Evaluation) -> Told:
    """An evaluation of pictures against pictures."""
    made, real = evaluation.made, evaluation.real
    return Told(
        title=f"{made.where} against {real.where}",
        about=f"{len(made):,} pictures of each ({made.found:,} and {real.found:,} are there), compared at "
        f"{made.pixels.shape[1]} px through {evaluation.features}; seed {evaluation.seed}",
        figures=tuple(figures(evaluation)),
        notes=evaluation.notes,
        sets=(made, real),
        document=evaluation_document(evaluation),
        sheet=evaluation.sheet(),
    )
