"""A recipe as options of `pixturn train`: how it differs from a named one."""

import json
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from typing import Any

from pipelines.recipes import named_recipes, recipe_named
from translate.recipe import Recipe, to_json

_MAKE_NETWORKS = ("augmentation.load_px", "augmentation.crop_px", "batch_size")
"""What networks follow from, beside their configuration: the depth of a U-Net from its crop, a norm from the batch."""
_DOMAINS = "domains."
"""Their pictures are what networks take and give. On the command line their options have no prefix."""
_OF_THE_DATA = ("domains.classes",)
"""The next data set says it of itself."""
_NO_OPTIONS = ("domains.kind", "domains.making.kind")
"""Which dataclass it is: a recipe has one of them, and no option takes another."""

_Flat = Mapping[str, Any]


def shortest_way(recipe: Recipe[Any]) -> tuple[str, list[str]]:
    """The named recipe from which the fewest options lead to the networks of `recipe`, and those options.

    Where none has domains and optimisers of its kinds, it is the one of the method's own name.
    """
    wanted = _flat_of(recipe)
    bases = {name: base for name in named_recipes() if _is_of_kind(base := recipe_named(name), recipe)}
    bases = bases or {recipe.method: recipe_named(recipe.method)}
    ways = {name: list(_options(wanted, _flat_of(base))) for name, base in bases.items()}
    return min(ways.items(), key=lambda way: len(way[1]))


def _is_of_kind(base: Recipe[Any], recipe: Recipe[Any]) -> bool:
    """Whether options lead from one to the other: those of a method, of kinds and of optimisers cannot be changed."""
    if (base.method, base.optimisers.keys()) != (recipe.method, recipe.optimisers.keys()):
        return False
    given, wanted = _flat_of(base), _flat_of(recipe)
    return all(given.get(name) == wanted.get(name) for name in _NO_OPTIONS)


def _options(wanted: _Flat, given: _Flat) -> Iterator[str]:
    for name, value in wanted.items():
        if value != given.get(name) and _makes_networks(name):
            yield _option(name.removeprefix(_DOMAINS), value)


def _makes_networks(name: str) -> bool:
    is_domain = name.startswith(_DOMAINS) and name not in (*_OF_THE_DATA, *_NO_OPTIONS)
    return is_domain or name in _MAKE_NETWORKS or name.startswith("config.")


def _flat_of(recipe: Recipe[Any]) -> _Flat:
    return dict(_flat(json.loads(to_json(recipe))))


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
