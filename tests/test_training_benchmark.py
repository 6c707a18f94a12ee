"""The training benchmark's own arithmetic, and that its contenders differ by what their names say."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import contenders as contending
from benchmarks.alike import largest_difference
from benchmarks.contenders import (
    PLAIN,
    PUBLISHED,
    REFERENCE,
    SHIPPED,
    Workload,
    as_it_ships,
    contenders,
    of_tricks,
    recipe_of,
    reference_step,
    steps,
    use_torchs,
)
from benchmarks.quality_runs import Run, distance_in_spreads, keep, known, table
from benchmarks.reference.enlarging import Enlarging
from benchmarks.training_growth import Growth, exponent
from benchmarks.tricks import TRICKS, alone, plain, switched
from pipelines.methods import method_class
from translate.networks.unet import UNet

CPU = torch.device("cpu")
OWN_LAYERS = plain(as_it_ships(Workload(system="pix2pix", size_px=64, batch_size=1), CPU)).torchs_own
TINY = Workload(system="compact", size_px=16, batch_size=1)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.words)
@pytest.mark.parametrize("system", PUBLISHED)
def test_a_trick_is_one_change_that_can_be_taken_back(system: str, trick):
    bare = plain(as_it_ships(Workload(system=system, size_px=64, batch_size=1), CPU))
    assert trick.off(bare) == bare
    assert trick.on(bare) != bare
    assert trick.off(trick.on(bare)) == bare


def test_every_trick_is_there_alone_and_switched_in_what_ships():
    found = contenders(Workload(system="pix2pix", size_px=64, batch_size=1), CPU, compiled=True)
    bare, shipped = found[PLAIN], found[SHIPPED]
    assert len(found) == 2 + 2 * len(TRICKS)
    for trick in TRICKS:
        assert found[alone(trick)] == trick.on(bare)
        other = found[switched(trick, shipped)]
        assert other in (trick.on(shipped), trick.off(shipped))
        assert other != shipped


def test_nothing_is_averaged_since_the_reference_averages_nothing():
    assert as_it_ships(TINY, CPU).recipe.average_half_life_images == 0


def test_both_sides_play_an_iteration_of_the_benchmark():
    for step in steps(TINY, CPU, (REFERENCE, PLAIN), compiled=False).values():
        assert step()


@pytest.mark.parametrize("kind", sorted(OWN_LAYERS, key=lambda kind: kind.__name__))
def test_torchs_layers_take_every_place_and_the_weights(kind):
    network = UNet(width=8, depth=5, norm="instance-affine").to(memory_format=torch.channels_last)
    pictures = torch.rand(1, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    before = network(pictures)
    of_kind = [layer for layer in network.modules() if type(layer) is kind]
    assert len(of_kind) > 1
    use_torchs((kind,), network)
    assert {type(layer) for layer in of_kind} == {kind.__mro__[1]}
    assert kind.__mro__[1].__module__.startswith("torch.")
    torch.testing.assert_close(network(pictures), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("power", [0.7, 1.0, 2.0])
def test_the_exponent_is_that_of_a_power_law(power: float):
    at = (1, 2, 5, 30)
    assert exponent(at, [3.0 * number**power for number in at]) == pytest.approx(power)


def test_a_batch_that_costs_nothing_more_a_sample_is_linear():
    part = Growth(system="compact", contender=SHIPPED, what="samples a step", at=(1, 4, 16), seconds=(0.5, 0.5, 0.5))
    assert part.exponent == pytest.approx(1.0)


def test_a_difference_is_told_in_spreads_of_one_run():
    assert distance_in_spreads([2.0, 4.0], [1.0, 3.0]) == "+1 (+0.7 spreads)"  # of standard deviations of 2 ** 0.5 each
    assert distance_in_spreads([2.0], [1.0]) == "+1"


def test_runs_that_were_made_are_read_again(tmp_path: Path):
    run = Run(system="pix2pix", contender=REFERENCE, seed=1, seconds=2.0, cpu_seconds=1.0, scores={"l1": 3.0})
    path = tmp_path / "runs" / "quality.json"
    assert known(path) == []
    keep([run], path)
    assert known(path) == [run]
    assert json.loads(path.read_text())[0]["seed"] == 1


def test_the_table_compares_means_with_the_references():
    runs = [
        Run(system="pix2pix", contender=name, seed=seed, seconds=1.0, cpu_seconds=60.0, scores={"l1": first + seed})
        for name, first in ((REFERENCE, 3.0), (SHIPPED, 4.0))
        for seed in (0, 2)
    ]
    lines = list(table(runs, REFERENCE))
    assert lines[1] == "| pix2pix | reference | 2 | 4 ± 1.4 |  | 1.0 |"
    assert lines[2] == "| pix2pix | library | 2 | 5 ± 1.4 | +1 (+0.7 spreads) | 1.0 |"


def test_tricks_by_name_are_measured_alone_and_beside_what_ships():
    work = Workload(system="cyclegan", size_px=64, batch_size=1)
    names = of_tricks(work, CPU, ("recompute",))
    assert names == (REFERENCE, PLAIN, SHIPPED, "recompute alone", "library with recompute")
    known = contenders(work, CPU, compiled=False)
    assert [known[name].recipe.recompute for name in names[1:]] == [False, False, True, True]


def test_the_reference_begins_with_the_librarys_weights(monkeypatch):
    """How long a CPU takes for some layers depends on the signs in them."""
    found = {}
    monkeypatch.setitem(contending.REFERENCES, "compact", lambda *_: found.setdefault("system", Enlarging()))
    reference_step(TINY, CPU)
    torch.manual_seed(0)
    recipe = recipe_of(TINY)
    method = method_class(recipe.method)(recipe.config, recipe.spec())
    assert largest_difference(method.networks(), found["system"].networks) == 0
    assert largest_difference(method.networks(), Enlarging().networks) > 0
