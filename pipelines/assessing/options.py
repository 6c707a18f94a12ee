"""Options of an assessment."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from pipelines.evaluating import Evaluation, FeaturesName, Pictures, evaluate
from pipelines.evaluating.evaluation import AT_MOST
from pipelines.evaluating.features import USUAL
from pipelines.evaluating.sets import Progress, silent
from pipelines.generating.generate import Advance
from pipelines.runs import RUNS
from pipelines.training.generation.contest import SEED
from translate.devices import DeviceName, pick_device
from translate.errors import require


@dataclass(frozen=True, kw_only=True)
class AssessmentOptions:
    """What is asked for.

    `features` and `at_most` are for pictures; None: the usual ones. `seed` draws the noise too: by default that of
    reports, 1, since validation chose a run's best weights by the noise of seed 0. `protocols`: whether to follow the
    papers' protocols too, where they fit. `runs`: the folder of the runs.
    """

    features: FeaturesName | None = None
    at_most: int | None = None
    seed: int = SEED
    device: DeviceName = "auto"
    protocols: bool = True
    runs: Path = RUNS
    progress: Progress = silent

    def __post_init__(self) -> None:
        """Refuse sets that cannot be compared."""
        require(self.most >= 2, "at-most", self.most, "2 or more pictures of each set")

    @property
    def most(self) -> int:
        """Pictures of a set."""
        return AT_MOST if self.at_most is None else self.at_most

    @property
    def torch_device(self) -> torch.device:
        """Where networks of torch run."""
        return pick_device(self.device)

    def telling(self, what: str) -> Advance:
        """Tells how far it is with one thing."""
        return partial(self.progress, what)

    def compared(self, made: Pictures, real: Pictures) -> Evaluation:
        """Two sets of pictures."""
        return evaluate(
            made,
            real,
            features=self.features or USUAL,
            at_most=self.most,
            seed=self.seed,
            device=self.torch_device,
            progress=self.progress,
        )
