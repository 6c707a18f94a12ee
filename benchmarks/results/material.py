"""What is measured: a run's samples, and the real samples beside them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipelines.generating import Generate
from pipelines.runs import RUNS, find_run
from pipelines.trained import Trained
from translate.data.collection import ArrayPart
from translate.data.collection_finding import scan_collection
from translate.runtime.base import Runtime
from translate.unlabelled import UNLABELLED

AT_ONCE = 500
"""Samples that go through a network together."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Real pictures, N x C x H x W in [-1, 1], and their N classes (points: N x D)."""

    samples: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.samples)


def real(data: Path, split: str) -> Split:
    """A split of a data set in arrays, as `pixturn example` writes them; unlabelled samples have the class -1."""
    part = scan_collection(data).splits[split]
    if not isinstance(part, ArrayPart):
        raise SystemExit(f"{data}: write the data set as arrays, with pixturn example")
    values = torch.from_numpy(part.values)
    samples = values if part.are_points else values.permute(0, 3, 1, 2).float() / 127.5 - 1
    labels = torch.full((len(part),), UNLABELLED) if part.labels is None else torch.from_numpy(part.labels)
    return Split(samples=samples, labels=labels)


def trained(run: Path) -> Trained:
    """The best weights of a run."""
    return Trained.for_use(find_run(run, RUNS))


def runtime(run: Path, deploy: str) -> Runtime:
    """One of the networks that a run gives its users, on the CPU."""
    return trained(run).runtime(deploy, torch.device("cpu"))


def generator(run: Path) -> Generate:
    """The pipeline of a run that generates."""
    return Generate(runtime(run, "generate"))


def samples(run: Path, count: int, seed: int) -> Tensor:
    """What a run makes of noise: N x *shape."""
    generate = generator(run)
    return torch.from_numpy(generate.arrays(count, seed=seed, batch=AT_ONCE)[generate.card.outputs[0].name])


def samples_of_classes(run: Path, count: int, seed: int, classes: int) -> Split:
    """The same of classes that are asked for in turn."""
    generate = generator(run)
    asked = torch.arange(count) % classes
    made = generate.arrays(count, seed=seed, label=asked.tolist(), batch=AT_ONCE)
    return Split(samples=torch.from_numpy(made[generate.card.outputs[0].name]), labels=asked)
