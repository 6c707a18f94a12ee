"""How learning rates grow with the batch, so that as many pictures teach as much in fewer, larger steps.

A rate is meant for batches of `rate_batch` samples. At k times as many:

- linear, times k: Goyal et al. 2017, https://arxiv.org/abs/1706.02677, section 2.1, for SGD. They found it to need a
  gradual warm-up (section 2.2), and to hold up to a batch size that has to be found.
- square-root, times sqrt(k): keeps the noise of a step as it was, Krizhevsky 2014, https://arxiv.org/abs/1404.5997,
  section 5; for Adam and RMSprop it is the one with a proof, Malladi et al. 2022, https://arxiv.org/abs/2205.10287.

Malladi et al. change Adam's other numbers, too: 1 - beta times k for both betas, epsilon over sqrt(k). That is left
out: with the beta1 of 0.5 that games are played with, there is none for k of 2 and more, and an epsilon of 1e-8 decides
nothing. Nor are penalties and averages touched; the half-life of averages is counted in images anyway.
"""

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any

from translate.recipe import RateRule, Recipe

_RULES: Mapping[RateRule, Callable[[float], float]] = {
    "none": lambda _times: 1.0,
    "linear": lambda times: times,
    "square-root": sqrt,
}


def rate_factor(recipe: Recipe[Any], *, images: int, world: int = 1) -> float:
    """What learning rates are multiplied by, beside the schedule's factor, after so many images of the run.

    A batch is what one step learns from: `batch_size` times `accumulate` times the `world` processes.
    """
    batch = recipe.batch_size * recipe.accumulate * world
    full = scaled_by(recipe.rate_rule, batch=batch, rate_batch=recipe.rate_batch or batch)
    warmup_images = recipe.schedule.warmup_images
    if images >= warmup_images:
        return full
    start = 1.0 if full > 1.0 else 0.0
    return start + (full - start) * images / warmup_images


def scaled_by(rule: RateRule, *, batch: int, rate_batch: int) -> float:
    """The rule's factor, for rates that are meant for `rate_batch` samples a step, at `batch` of them."""
    return _RULES[rule](batch / rate_batch)
