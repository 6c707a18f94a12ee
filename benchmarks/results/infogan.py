"""What InfoGAN's codes came to mean: `python -m benchmarks.results.infogan RUN... --data DIR`.

The categorical code as a classifier: its values are matched to classes on training pictures, and judged on held-out
ones. The continuous codes as dials: slant and width of strokes along traversals of -1 to 1, each with its own noise and
category. On digits one code turns out to be the slant, another the width; nobody says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor

from benchmarks.results.material import AT_ONCE, Split, generator, real, runtime
from benchmarks.results.table import Figures, Options, report
from pipelines.generating import Generate
from translate.metrics.codes import match_codes, monotonicity
from translate.metrics.strokes import slant_degrees, stroke_width_px
from translate.runtime.base import Runtime

MEASURES = {"slant": slant_degrees, "stroke width": stroke_width_px}


@dataclass(frozen=True, kw_only=True)
class InfoOptions(Options):
    """What to measure."""

    data: Path
    """Digits with their classes, which training did not see."""
    traversals: int = 50
    """For each continuous code."""
    values: int = 11
    """Steps of a traversal."""


def error_figures(train_codes: Tensor, train: Tensor, test_codes: Tensor, test: Tensor, *, classes: int) -> Figures:
    """The error of the code's values (N integers) as classes, matched on training pictures."""
    match = match_codes(train_codes, train, values=classes, classes=classes)
    return {
        "error on held-out pictures (%)": 100 * match.error_on(test_codes, test),
        "error on training pictures (%)": 100 * match.error,
    }


def dial_figures(traverse: "Traverse", dials: int, values: Tensor) -> Figures:
    """The strongest Spearman correlation that a continuous code has with each measure, and its weakest traversal.

    Nothing in training says that a code means the same in all categories, and the same way round. So beside one code
    for all there are the figures where each category has the code and the direction that are best in it.
    """
    pictures = [traverse(dial, values) for dial in range(dials)]
    found: dict[str, float] = {}
    for name, measure in MEASURES.items():
        measured = [measure(made.flatten(0, 1)).view(made.shape[:2]) for made in pictures]
        for whose, (mean, weakest) in {
            "its best code": _best(measured, values),
            "each category's best code": _best_by_category(measured, traverse.categories, values),
        }.items():
            found[f"{name}: |Spearman| along {whose}, mean"] = mean
            found[f"{name}: weakest traversal along {whose}"] = weakest
    return found


def _best(measured: Sequence[Tensor], values: Tensor) -> tuple[float, float]:
    """Mean and weakest traversal along the code that a measure follows best, the way round that it turns."""
    each = [monotonicity(values, rows) for rows in measured]
    best = max(each, key=lambda one: abs(one.mean))
    return abs(best.mean), best.weakest if best.mean >= 0 else -best.weakest


def _best_by_category(measured: Sequence[Tensor], categories: Tensor, values: Tensor) -> tuple[float, float]:
    """The mean over traversals, and the weakest of all, where every category has a best code of its own."""
    own = [categories == category for category in categories.unique()]
    best = [_best([each[rows] for each in measured], values) for rows in own]
    mean = sum(float(rows.sum()) * one for rows, (one, _) in zip(own, best, strict=True)) / len(categories)
    return mean, min(weakest for _, weakest in best)


class Traverse:
    """Pictures along one continuous code: R x T x C x H x W, each traversal with noise and a category of its own."""

    def __init__(self, generate: Generate, traversals: int, seed: int) -> None:
        self.generate = generate
        self.inputs = generate.draw(traversals, seed=seed)
        self.categories = torch.from_numpy(
            np.asarray(self.inputs.get("category", np.zeros(traversals, dtype=np.int64)))
        )

    def __call__(self, dial: int, values: Tensor) -> Tensor:
        """Everything stays as drawn but this code."""
        steps = len(values)
        inputs = {name: np.repeat(rows, steps, axis=0) for name, rows in self.inputs.items()}
        inputs["code"][:, dial] = np.tile(values.numpy(), len(inputs["code"]) // steps)
        made = self.generate.run(inputs, batch=AT_ONCE)
        pictures = torch.from_numpy(made[self.generate.card.outputs[0].name])
        return pictures.unflatten(0, (-1, steps))


def read_codes(reader: Runtime, pictures: Tensor) -> Tensor:
    """The likeliest value of the first categorical code: N integers."""
    name = reader.card.inputs[0].name
    parts = [reader.run({name: part.numpy()})["scores"] for part in pictures.split(AT_ONCE)]
    return torch.from_numpy(np.concatenate(parts)).argmax(dim=1)


def measure(run: Path, train: Split, test: Split, options: InfoOptions) -> Figures:
    """All of it for one run."""
    reader = runtime(run, "classify")
    classes = int(train.labels.max()) + 1
    codes = read_codes(reader, train.samples), read_codes(reader, test.samples)
    values = torch.linspace(-1, 1, options.values)
    traverse = Traverse(generator(run), options.traversals, options.seed)
    return {
        **error_figures(codes[0], train.labels, codes[1], test.labels, classes=classes),
        **dial_figures(traverse, traverse.inputs["code"].shape[1], values),
    }


def main(options: InfoOptions) -> None:
    train, test = real(options.data, "train"), real(options.data, "test")
    report(options, lambda run: measure(run, train, test, options))


if __name__ == "__main__":
    main(tyro.cli(InfoOptions))
