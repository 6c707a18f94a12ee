"""What a report prints to fine-tune a run: the command line as it stands makes the same networks again."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.commands.train import parse
from pipelines.recipes import named_recipes, recipe_named
from pipelines.runs import RunFolder
from pipelines.training.reporting import usual_steps
from translate.data.domains import MadePairs, OneDomain, TwoDomains
from translate.data.making import Holes


def printed(recipe):
    (line,) = (
        step.line
        for step in usual_steps(
            RunFolder(
                path=Path("a run"),
            ),
            recipe,
        )
        if "--start-from" in step.line
    )
    return line


def parsed(line):
    pixturn, train, name, *words = shlex.split(line)
    assert (pixturn, train) == ("pixturn", "train")
    return parse(name, words).recipe


def as_it_is(domains):
    return domains


def other(domains):
    """Of other pictures, made in another way."""
    match domains:
        case TwoDomains():
            return replace(domains, a=("grey", "labels:5"), b=("rgba",), direction="BtoA")
        case MadePairs(making=Holes() as holes):
            return replace(domains, b=("grey",), making=replace(holes, strokes=0.25))
        case MadePairs() if domains.scale > 1:
            return replace(domains, b=("grey",), making=replace(domains.making, scale=4))
        case MadePairs():
            return replace(domains, b=("rgb",))
        case OneDomain():
            return replace(domains, x="vector:7")


@pytest.mark.parametrize("change", [as_it_is, other])
@pytest.mark.parametrize("name", sorted(named_recipes()))
def test_the_printed_line_makes_the_networks_of_every_recipe_again(name, change):
    named = recipe_named(name)
    recipe = replace(named, domains=change(named.domains), batch_size=named.batch_size + 1, seed=7)
    found = parsed(printed(recipe))
    assert (found.method, found.config, found.domains) == (recipe.method, recipe.config, recipe.domains)
    assert (found.batch_size, found.augmentation.crop_px) == (recipe.batch_size, recipe.augmentation.crop_px)
    assert found.optimisers.keys() == recipe.optimisers.keys()
    assert found.start_from == "a run"


def test_what_the_next_data_set_says_itself_is_left_out():
    recipe = recipe_named("cgan")
    known = replace(recipe, domains=replace(recipe.domains, x="grey", classes=("cat", "dog")))
    line = printed(known)
    assert "--x grey" in line
    assert "cat" not in line


def test_a_run_of_a_named_recipe_goes_on_from_that_recipe():
    assert printed(recipe_named("compact-gan")).startswith("pixturn train compact-gan ")
    assert printed(recipe_named("restore")).split("'a run'")[1] == ""
