"""Which remedies a run offers: those whose options its recipe has, takes, and does not have set already."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipelines.trained import config_class
from translate.errors import ConfigurationError
from translate.metrics.remedies import Option, Remedies, Remedy
from translate.recipe import Recipe, from_json, to_json

_Document = dict[str, Any]


def offered(recipe: Recipe[Any]) -> Remedies:
    """Of all remedies those that help this recipe, with what has to be set beside them."""
    every = Remedies()
    return Remedies(
        collapse=_fitting(recipe, every.collapse),
        strong_discriminator=_fitting(recipe, every.strong_discriminator),
        weak_discriminator=_fitting(recipe, every.weak_discriminator),
        copying=_fitting(recipe, every.copying),
        sameness=_fitting(recipe, every.sameness),
        inversion=_fitting(recipe, every.inversion),
        grid=_fitting(recipe, every.grid),
    )


def _fitting(recipe: Recipe[Any], remedies: Iterable[Remedy]) -> tuple[Remedy, ...]:
    return tuple(fitted for remedy in remedies if (fitted := _fitted(recipe, remedy)) is not None)


def _fitted(recipe: Recipe[Any], remedy: Remedy) -> Remedy | None:
    for options in (remedy.options, (*remedy.options, *remedy.beside)):
        if _is_taken(recipe, options):
            return replace(remedy, options=options)
    return None


def _is_taken(recipe: Recipe[Any], options: Sequence[Option]) -> bool:
    """Whether the recipe has all these options, changes by each of them, and is one with all of them set."""
    document = json.loads(to_json(recipe))
    try:
        changes = [_set(document, option) for option in options]
        from_json(json.dumps(document), config_class)
    except (KeyError, TypeError, ConfigurationError):
        return False
    return all(changes)


def _set(document: _Document, option: Option) -> bool:
    """Whether that changes anything. Raises KeyError or TypeError where there is no such option."""
    *parents, last = option.name.replace("-", "_").split(".")
    for name in parents:
        document = document[name]
    before = document[last]
    if option.value is None:
        return True
    document[last] = option.value
    return before != option.value
