"""A method and its trivial rivals on the same held-out pictures, in each direction that users can run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from pipelines.evaluating.sets import Progress, silent
from pipelines.scoring.baselines import as_translation, fitting_baselines
from pipelines.scoring.heldout import HeldOut, TensorTranslation, translated
from pipelines.scoring.judge import Judge, Scores
from pipelines.trained import Trained
from pipelines.training.tables import OURS
from translate.card import picture_ports


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """One direction: the scores of the model (under `OURS`) and of every baseline, by label."""

    deploy: str
    source: str
    target: str
    translate: TensorTranslation
    scores: Mapping[str, Scores]

    @property
    def ours(self) -> Scores:
        """The model's scores."""
        return self.scores[OURS]


def hold_contests(
    trained: Trained, held_out: HeldOut, training: HeldOut, device: torch.device, progress: Progress = silent
) -> list[Contest]:
    """Score every deploy whose ports are those of the domains, and the baselines fitted on `training`."""
    judge = Judge(device)
    contests: list[Contest] = []
    for name, deploy in trained.method.deploys().items():
        source, target = _domain(deploy.inputs[0].name), _domain(deploy.outputs[0].name)
        ours = translated(deploy.module.to(device), picture_ports(deploy.inputs))
        rivals = {OURS: ours} | {
            baseline.label: as_translation(baseline, held_out, source, target)
            for baseline in fitting_baselines(training, source, target)
        }
        scores: dict[str, Scores] = {}
        for label, rival in rivals.items():
            progress(f"Scoring {name} and its rivals", len(scores), len(rivals))
            scores[label] = _score(judge, rival, held_out, source, target)
        progress(f"Scoring {name} and its rivals", len(scores), len(rivals))
        contests.append(Contest(deploy=name, source=source, target=target, translate=ours, scores=scores))
    return contests


def _score(judge: Judge, translate: TensorTranslation, held_out: HeldOut, source: str, target: str) -> Scores:
    sets = judge.sets(translate, held_out, source, target)
    if not held_out.paired:
        return sets
    pairs = judge.pairs(translate, held_out, source, target)
    return Scores(overall={**pairs.overall, **sets.overall}, each=pairs.each)


def _domain(port: str) -> Literal["a", "b"]:
    return "a" if port.startswith("a") else "b"
