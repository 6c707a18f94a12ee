"""Mixtures of a model's faithful and perceptual weights, which `--fidelity` gives users."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.fidelity import with_fidelity
from pipelines.runs import RUNS, bundle_of


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A file with weights between the two, by the name that tables give it."""

    name: str
    model: Path


def fidelities(models: Sequence[Path], steps: int) -> Iterator[Mixture]:
    """For each model so many mixtures, from its perceptual weights (0) to its faithful ones (1).

    Raises ConfigurationError where a model has no perceptual weights beside it.
    """
    for model in models:
        faithful = model if model.suffix == ".onnx" else bundle_of(model, RUNS) or model
        for fidelity in np.linspace(0.0, 1.0, steps).tolist():
            yield Mixture(name=f"{model.stem} --fidelity {fidelity:g}", model=with_fidelity(faithful, fidelity))
