"""What tests of every method share: their parameters, digests of what a state is, and looks at who runs."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
from tiny import RECIPES, TRANSLATING, batch_of, drawing_by_position, noisy, projected, small
from torch import Tensor, nn

from translate.engine import Engine
from translate.method import Batch, Turn

KINDS = {"small": small, "noisy": noisy, "projected": projected}
INPUT_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)

every_recipe = pytest.mark.parametrize("name", RECIPES)
every_translator = pytest.mark.parametrize("name", TRANSLATING)
every_kind = pytest.mark.parametrize("kind", KINDS)


def digest(tensor: Tensor) -> str:
    """Short, so that a failure's report is too."""
    return hashlib.sha256(tensor.detach().cpu().contiguous().numpy().tobytes()).hexdigest()[:12]


def bits(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: digest(tensor) for name, tensor in tensors.items()}


def as_played_now(turn: Turn) -> Turn:
    return replace(turn, every=1, start=0.0, stop=1.0)


def played(engine: Engine, iterations: int) -> Engine:
    draw = drawing_by_position(engine)
    for _ in range(iterations):
        engine.play(draw)
    return engine


def engine_batch(engine: Engine) -> Batch:
    return Batch(batch_of(engine.recipe))
