"""A recipe as options of `pixturn train`: how it differs from another one."""

import json
from collections.abc import Iterable, Iterator
from shlex import quote
from typing import Any

from translate.recipe import Recipe, to_json

_MAKE_NETWORKS = ("augmentation.load_px", "augmentation.crop_px", "domains.a", "domains.b", "batch_size")
"""What networks follow from, beside their configuration: the depth of a U-Net from its crop, a norm from the batch."""


def network_options(recipe: Recipe[Any], base: Recipe[Any]) -> list[str]:
    """The options that give `base` the networks of `recipe`."""
    usual = dict(_flat(json.loads(to_json(base))))
    return [
        _option(name, value)
        for name, value in _flat(json.loads(to_json(recipe)))
        if value != usual.get(name) and (name in _MAKE_NETWORKS or name.startswith("config."))
    ]


def _flat(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _option(name: str, value: object) -> str:
    path, _, last = name.replace("_", "-").rpartition(".")
    group = f"{path}." if path else ""
    if isinstance(value, bool):
        return f"--{group}{'' if value else 'no-'}{last}"
    words = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    return " ".join([f"--{group}{last}", *(quote(str(word)) for word in words)])
