"""The child that a model is tried in: whatever happens here, the caller lives.

Reads the model from standard input, and answers on what was standard output: `ready`, then one line of JSON with the
reason why the model is refused, or null. Everything else that is printed goes nowhere.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Final, Protocol

from translate.card import Card, LabelMap, PicturePort, Port
from translate.errors import ModelError
from translate.runtime.base import Arrays
from translate.runtime.gate import inspect
from translate.runtime.rows import row_shape
from translate.runtime.synthetic import synthetic_inputs

READY: Final = b"ready\n"

_LEAST_PX: Final = 1
_GENEROUS_BYTES: Final = 8 << 30
_COPIES: Final = 8
"""Bytes of memory for each byte of a model: what is parsed, checked, optimised and loaded is there several times."""
_MOST_CHARACTERS: Final = 600


class Started(Protocol):
    """A model that an engine has loaded."""

    def run(self, inputs: Arrays) -> Arrays:
        """As in Runtime."""
        ...


Start = Callable[[bytes, Card], Started]
"""Loads a model into the engine that is to be tried."""


def answer(start: Start) -> None:
    """Try the model on standard input, and say how it went; argv[1] is the computing time in seconds."""
    say = _private_output()
    os.write(say, READY)
    data = sys.stdin.buffer.read()
    _confine(len(data), int(sys.argv[1]))
    os.write(say, json.dumps({"refusal": _refusal(data, start)}).encode())


def _refusal(data: bytes, start: Start) -> str | None:
    """Why a model is refused; None if it passes the gate, loads, and runs at its least size as its card says."""
    try:
        card = inspect(data)
        _warm_up(start(data, card), card)
    except Exception as problem:  # protobuf, the checker and the engines have no common base of errors
        return (str(problem) or repr(problem))[:_MOST_CHARACTERS]
    return None


def _warm_up(model: Started, card: Card) -> None:
    """Run one sample, the least picture. Raises ModelError where what comes out is not what the card says."""
    given = synthetic_inputs(card, _LEAST_PX)
    made = model.run(given)
    for port in card.outputs:
        wanted = _shape(card, port, given[card.inputs[0].name].shape)
        if made[port.name].shape != wanted:
            raise ModelError(f"its output {port.name!r} is {made[port.name].shape}, and its card says {wanted}")


def _shape(card: Card, port: Port, given: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an output for one sample whose first input has the shape `given`."""
    if not isinstance(port, PicturePort):
        return (1, *row_shape(port))
    if card.pixels:
        return (1, given[1] * card.scale, given[2] * card.scale, 1 if isinstance(port, LabelMap) else port.channels)
    return (1, port.channels, given[2] * card.scale, given[3] * card.scale)


def _private_output() -> int:
    """A handle of standard output for the answer alone; what libraries print goes nowhere."""
    say = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return say


def _confine(model_bytes: int, cpu_sec: int) -> None:
    """No files, no dumps, and finite memory and computing time; nothing where the system has no such limits."""
    try:
        import resource
    except ImportError:
        return
    limits = {
        resource.RLIMIT_AS: _GENEROUS_BYTES + _COPIES * model_bytes,
        resource.RLIMIT_CPU: cpu_sec,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a lower limit stands already
            resource.setrlimit(limit, (most, most))
