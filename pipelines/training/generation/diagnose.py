"""The health of a run that generates: variety, memory, and the balance of its game."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from pipelines.generating.neighbours import nearest, nearness
from pipelines.report import Finding
from pipelines.trained import Trained
from pipelines.training.evaluation import discriminator_scores, judged_count
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.offered import offered
from pipelines.training.told import told
from translate.card import Label
from translate.data.domains import LABEL
from translate.data.tensors import to_uint8
from translate.game import FAKE, REAL
from translate.method import Method
from translate.metrics.finding import Finding as HealthFinding
from translate.metrics.health_balance import Probabilities, check_game, check_probabilities
from translate.metrics.health_samples import check_class_diversity, check_samples
from translate.metrics.remedies import Remedies

_JUDGED = 256
_SEEN = 256


def examine(
    trained: Trained,
    deploy: str,
    made: Tensor,
    held_out: HeldOut,
    training: HeldOut,
    course: Mapping[str, Sequence[float]],
    device: torch.device,
) -> Iterable[Finding]:
    """Everything that is found to be wrong, in the report's words; `course` are all recorded figures by name."""
    generator, remedies = _name_of(trained.method, deploy), offered(trained.recipe)
    real = held_out.tensor(0, len(held_out), torch.device("cpu"))
    labels = held_out.labels
    yield from map(
        told,
        check_samples(made[:_SEEN], real[:_SEEN], real_labels=_first(labels), generator=generator, remedies=remedies),
    )
    yield from map(told, _of_classes(trained, deploy, made, held_out, generator=generator, remedies=remedies))
    if held_out.are_pictures:
        yield _memory(made, held_out, training)
    method = trained.playing().to(device)
    count = judged_count(method, min(_JUDGED, len(held_out)))
    for scores in discriminator_scores(method, held_out.batch(count, device)) if count else ():
        yield from map(told, check_game(scores, remedies=remedies))
    yield from map(told, _drifting(course, remedies))


def _of_classes(
    trained: Trained, deploy: str, made: Tensor, held_out: HeldOut, *, generator: str, remedies: Remedies
) -> Iterable[HealthFinding]:
    """Classes that are poor in themselves, where samples were asked for the data's classes."""
    inputs = trained.method.deploys()[deploy].inputs
    port = next((port for port in inputs if isinstance(port, Label) and port.name == LABEL), None)
    if port is None or held_out.labels is None or not held_out.learns_classes:
        return []
    real = held_out.tensor(0, len(held_out), torch.device("cpu"))
    asked = held_out.labels
    return check_class_diversity(made, asked, real, asked, names=port.names, generator=generator, remedies=remedies)


def _drifting(course: Mapping[str, Sequence[float]], remedies: Remedies) -> Iterable[HealthFinding]:
    """D(x) and D(G(z)) that have left 1/2, where they were recorded."""
    if not {REAL, FAKE} <= course.keys():
        return []
    real, fake = np.array(course[REAL]), np.array(course[FAKE])
    return check_probabilities(Probabilities(discriminator="discriminator", real=real, fake=fake), remedies=remedies)


def _memory(made: Tensor, held_out: HeldOut, training: HeldOut) -> Finding:
    known = training.pixels()
    found = nearness(nearest(to_uint8(made, training.picture_port), known, k=1), known, held_out.pixels())
    return Finding(severity="warning" if found.is_suspicious else "info", message=found.sentence)


def _first(labels: Tensor | None) -> Tensor | None:
    return None if labels is None else labels[:_SEEN]


def _name_of(method: Method, deploy: str) -> str:
    names = {network: name for name, network in method.networks().items()}
    return names[method.deploys()[deploy].networks[0]]
