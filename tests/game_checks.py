"""What tests of the engine share: a look at its weights, a joint turn of the toy game, and ways to spoil a step."""

import math

import torch
from tiny import Game, numbered
from torch import Tensor

from translate.engine import Engine
from translate.method import Turn

NAN = float("nan")


def weights(engine: Engine) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in engine.method.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def joint(game: Game) -> tuple[Turn, ...]:
    return (Turn(name="both", trains=(game.left, game.right), loss=game.both_loss),)


def poisoned_gradient(loss: Tensor) -> Tensor:
    """The value stays finite; the gradient is 0 * inf."""
    return loss + (loss.detach() * 0 + 0.0 * loss).sqrt()


def poison_weight(engine: Engine) -> None:
    engine.method.left.bias.data[1] = NAN


def poison_loss(engine: Engine) -> None:
    engine.method.poison["left"] = lambda loss: loss * NAN


def poison_gradient(engine: Engine) -> None:
    engine.method.poison["left"] = poisoned_gradient


def poison_nothing(engine: Engine) -> None:
    engine.method.poison.clear()


def drawing_bad_pictures(domain: str):
    draw = numbered()

    def bad() -> dict[str, Tensor]:
        batch = dict(draw())
        batch[domain] = batch[domain].clone()
        batch[domain][0, 0, 0, 0] = math.inf
        return batch

    return bad
