"""Every random state of a process, captured and put back: what a bit-exact resume needs beside the weights.

Tensors and plain JSON only. Nothing in Pixturn draws from Python's or numpy's global generators, but a user's own
augmentation or loss may.
"""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RandomState:
    """`tensors` go into a safetensors file, `document` into JSON."""

    tensors: dict[str, Tensor]
    document: dict[str, Any]


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch on all devices."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def capture() -> RandomState:
    """The random states of now."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {"torch.cpu": torch.get_rng_state()}
    for index, state in enumerate(_cuda_states()):
        tensors[f"torch.cuda.{index}"] = state
    return RandomState(
        tensors=tensors,
        document={
            "python": random.getstate(),
            "numpy": [name, np.asarray(keys).tolist(), int(position), int(has_gauss), float(gauss)],
        },
    )


def restore(state: RandomState) -> None:
    """Put captured random states back; a GPU that was not there at the capture keeps its own."""
    version, internal, gauss = state.document["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = state.document["numpy"]
    np.random.set_state((name, np.asarray(keys, dtype=np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state.tensors["torch.cpu"])
    for index in range(len(_cuda_states())):
        if f"torch.cuda.{index}" in state.tensors:
            torch.cuda.set_rng_state(state.tensors[f"torch.cuda.{index}"], index)


def _cuda_states() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
