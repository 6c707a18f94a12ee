"""Scores the validation pictures of a running session with the averaged weights, without touching its state."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from pipelines.scoring.heldout import HeldOut, shown, translated
from pipelines.scoring.judge import Judge, Score
from pipelines.training.evaluation import discriminator_scores, evaluating
from pipelines.training.offered import offered
from pipelines.training.session import Session
from pipelines.training.translation.two import two_domains
from translate.card import picture_ports
from translate.data.tensors import to_uint8
from translate.method import Batch, Deploy
from translate.metrics.finding import Finding
from translate.metrics.health_discriminator import DiscriminatorScores, check_discriminator

_SHEET_ROWS = 8
_JUDGED_PICTURES = 16


class Validator:
    """Scores one session's first deploy on held-out pictures; further ones (CycleGAN's BtoA) the report scores."""

    def __init__(self, session: Session, held_out: HeldOut) -> None:
        self._session = session
        self._held_out = held_out
        self._judge = Judge(session.engine.device)

    def measure(self) -> dict[str, Score]:
        """Every figure that can be had: against the truth where pairs are known, of the set where not."""
        overall: dict[str, Score] = {}
        with evaluating(self._deploy().module):
            if self._held_out.paired:
                overall |= self._judge.pairs(self._translate, self._held_out).overall
            if not two_domains(self._session.recipe).paired:
                overall |= self._judge.sets(self._translate, self._held_out).overall
        return overall

    def _translate(self, pictures: Tensor) -> Tensor:
        """At the precision of training; the judge computes in float32."""
        deploy = self._deploy()
        with self._session.engine.autocast():
            return translated(deploy.module, picture_ports(deploy.inputs))(pictures).float()

    @torch.no_grad()
    def sheet(self) -> np.ndarray:
        """Input, output and (where known) truth of a few pictures, a row each: H x W x 3 uint8."""
        held_out, deploy = self._held_out, self._deploy()
        which = held_out.sample("a", _SHEET_ROWS)
        with evaluating(deploy.module):
            made = self._translate(held_out.tensor("a", which, self._session.engine.device))
        port = picture_ports(deploy.outputs)[0]
        outputs = to_uint8(made[:, : port.channels], port)
        rows = [self._row(index, shown(output, port)) for index, output in zip(which, outputs, strict=True)]
        return np.concatenate(rows, axis=0)

    def _row(self, index: int, output: np.ndarray) -> np.ndarray:
        truth = [self._held_out.shown("b", index)] if self._held_out.paired else []
        return np.concatenate([_enlarged(self._held_out.shown("a", index), len(output)), output, *truth], axis=1)

    def discriminator_scores(self) -> list[DiscriminatorScores]:
        """Each discriminator's scores of held-out real and of made pictures, with the trained weights."""
        engine = self._session.engine
        with engine.autocast():
            return discriminator_scores(engine.method, judged(self._held_out, engine.device))

    def alarms(self, scores: Sequence[DiscriminatorScores]) -> Iterable[Finding]:
        """A discriminator that always wins."""
        remedies = offered(self._session.recipe)
        return [finding for part in scores for finding in check_discriminator(part, remedies=remedies)]

    def _deploy(self) -> Deploy:
        return next(iter(self._session.engine.averaged.method.deploys().values()))


def _enlarged(picture: np.ndarray, height_px: int) -> np.ndarray:
    """The pixels of an input that is smaller than the output, each as a square."""
    factor = height_px // len(picture)
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def judged(held_out: HeldOut, device: torch.device) -> Batch:
    """A few held-out pictures of every domain, for discriminators to judge."""
    count = min(_JUDGED_PICTURES, *(held_out.size(domain) for domain in held_out.keys))
    return Batch({name: held_out.tensor(name, held_out.sample(name, count), device) for name in held_out.keys})
