"""How to assess."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from pipelines.evaluating import Evaluation, FeaturesName, Pictures, evaluate
from pipelines.evaluating.evaluation import AT_MOST
from pipelines.evaluating.sets import Progress, silent
from pipelines.generating.generate import Advance
from pipelines.runs import RUNS
from translate.devices import DeviceName, pick_device


@dataclass(frozen=True, kw_only=True)
class How:
    """What is asked for.

    `protocols`: whether to follow the papers' protocols too, where they fit. `runs`: the folder of the runs.
    """

    features: FeaturesName = "effnet-lite1"
    at_most: int = AT_MOST
    seed: int = 0
    device: DeviceName = "auto"
    protocols: bool = True
    runs: Path = RUNS
    progress: Progress = silent

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
            features=self.features,
            at_most=self.at_most,
            seed=self.seed,
            device=self.torch_device,
            progress=self.progress,
        )
