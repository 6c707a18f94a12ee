"""Runs of a few steps."""

from dataclasses import replace
from typing import Any

from crash_worker import tiny

from translate.recipe import Recipe


def short(images=4, **changes) -> Recipe[Any]:
    return replace(tiny("pix2pix", images=images), **changes)
