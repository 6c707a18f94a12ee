"""Points are few numbers: they are compared as they are, through no network."""

import io

from pipelines.assessing.options import AssessmentOptions
from pipelines.assessing.real import Real
from pipelines.assessing.scores import document_of, figures_of
from pipelines.evaluating import Told
from pipelines.evaluating.comparing import FEWEST
from pipelines.generating import Generate
from pipelines.generating.show import cloud
from pipelines.training.generation.contest import Contest, hold_contest
from pipelines.training.generation.subject import Subject
from translate.card import Vector
from translate.errors import ConfigurationError, DatasetError


def makes_points(generate: Generate) -> bool:
    """Whether its samples are points rather than pictures."""
    return isinstance(generate.card.outputs[0], Vector)


def require_none_for_pictures(name: str, how: AssessmentOptions) -> None:
    """Raise ConfigurationError where an option was given that would change nothing."""
    given = {"--features": how.features, "--at-most": how.at_most}
    for option, value in given.items():
        if value is not None:
            raise ConfigurationError(
                f"{option} {value}: {name} makes points, which are compared as they are and all of them; leave the "
                "option out"
            )


def of_points(real: Real, how: AssessmentOptions) -> Told:
    """What is told of a generator of points.

    Raises:
        DatasetError: There are too few real ones.
    """
    subject = real.subject
    assert subject is not None
    _require_enough(subject, real.where)
    contest = hold_contest(
        subject.generate, subject.held_out, subject.training, subject.device, how.progress, seed=how.seed
    )
    return Told(
        title="points",
        about=f"{len(contest.made):,} points of each; seed {how.seed}",
        figures=tuple(figures_of(contest.scores)),
        notes=(),
        sets=(),
        document={"kind": "evaluation", "seed": how.seed, "figures": document_of(contest.scores)},
        sheet=_cloud(contest, subject),
    )


def _require_enough(subject: Subject, where: str) -> None:
    held_out, training = len(subject.held_out), len(subject.training)
    if min(held_out, training) < FEWEST:
        raise DatasetError(
            f"{where}: {held_out} points to compare with, and {training} to learn from, are too few: give at least "
            f"{FEWEST} of each (of a data set in one piece these are its halves), better hundreds"
        )


def _cloud(contest: Contest, subject: Subject) -> bytes:
    buffer = io.BytesIO()
    cloud(contest.made.numpy(), subject.test.numpy()).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
