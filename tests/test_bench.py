"""`pixturn bench`: fair turns, the setting that is recommended, and what becomes of settings that fail."""

import itertools
import shlex
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import CPU, RECIPES, TRANSLATING, tiny_recipe

from pipelines.benching.timing import Timing, race, summary
from pipelines.benching.training import steps, telling
from pipelines.benching.training.batches import synthetic_batch, with_known_domains
from pipelines.benching.training.comparing import Comparison, Plan, Workshop
from pipelines.benching.training.settings import TrainingSetting
from pipelines.benching.training.steps import Step, lasting, workshop
from pipelines.commands.train import parse
from pipelines.recipes import recipe_named

PLAIN = TrainingSetting(precision="fp32", layout="plain", compile=False, threads=4, batch_size=4)


class FakeClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


class Watching:
    """Stops after so many turns; remembers what it was told."""

    def __init__(self, stops_after=10**9):
        self.left = stops_after
        self.told = []

    def expect(self, words, units):
        assert units >= 0
        self.told.append(words)

    def advance(self, units):
        self.left -= 1

    def asks_to_stop(self):
        return self.left <= 0


# Fair turns


def test_turns_alternate_and_the_median_is_that_of_the_turns():
    clock, order = FakeClock(), []
    seconds = {"one": itertools.cycle([9.0, 1.0, 3.0, 2.0]), "other": itertools.cycle([5.0])}

    def call(name):
        order.append(name)
        clock.work(next(seconds[name]))

    done = race({name: (lambda n=name: call(n)) for name in seconds}, rounds=3, watch=Watching(), clock=clock)
    assert order == ["one", "other", "one", "other", "other", "one", "one", "other"]
    assert done.timings["one"] == Timing(median_sec=2.0, lower_sec=1.5, upper_sec=2.5, turns=3)  # 9 s was the warm-up
    assert done.warm_up_sec["one"] == 9.0
    assert done.timings["other"].median_sec == 5.0


def test_quick_calls_are_timed_several_in_a_row():
    clock, calls = FakeClock(), []
    done = race(
        {"quick": lambda: (clock.work(0.01), calls.append(1))}, rounds=2, watch=Watching(), clock=clock, warm_up=1
    )
    assert len(calls) == 1 + 2 * 5
    assert done.timings["quick"].median_sec == pytest.approx(0.01)


def test_a_contestant_that_fails_is_out_and_the_others_go_on():
    clock = FakeClock()

    def fails():
        raise RuntimeError("no compiler found\nwith a trace")

    done = race({"bad": fails, "good": lambda: clock.work(1.0)}, rounds=2, watch=Watching(), clock=clock)
    assert set(done.timings) == {"good"}
    assert "no compiler" in str(done.failures["bad"])


def test_summary_of_quartiles_against_numpy():
    values = [3.0, 1.0, 4.0, 1.5, 9.0]
    timing = summary(values)
    assert (timing.lower_sec, timing.median_sec, timing.upper_sec) == tuple(np.percentile(values, [25, 50, 75]))


# The recommended setting


def cost(setting, factors):
    """Seconds of an iteration: a fixed part and one by the batch, times the factors of what is switched on."""
    seconds = 0.2 + 0.2 * setting.batch_size
    for switch, factor in factors.items():
        if switch in (setting.precision, setting.layout, f"{setting.threads} threads"):
            seconds *= factor
    return seconds * (factors.get("compile", 1.0) if setting.compile else 1.0)


def compared(factors, *, batch_sizes=(), plain=PLAIN, watch=None, fails=lambda _: None, takes=None, free=None):
    """Results of a comparison on a fake clock. Compiling takes 100 s. Memory is what settings take, and what is free.

    Opening more at once than is free fails, as it would.
    """
    clock = FakeClock()
    compiled, takes = set(), takes or (lambda _: None)
    there = weakref.WeakKeyDictionary()

    def step(setting):
        if fails(setting):
            raise RuntimeError(fails(setting))
        if free is not None and sum(there.values()) + takes(setting) > free:
            raise MemoryError(f"{setting} beside {len(there)} others")

        def call():
            if setting.compile and setting not in compiled:
                compiled.add(setting)
                clock.work(100.0)
            clock.work(cost(setting, factors))

        there[call] = takes(setting) or 0
        return call

    plan = Plan(
        plain=plain,
        usual=plain,
        precisions=("fp32", "bf16"),
        layouts=("plain", "channels-last"),
        threads=(2,),
        batch_sizes=batch_sizes,
        rounds=3,
    )
    making = Workshop(open=step, memory_bytes=takes, free_bytes=lambda: free)
    comparison = Comparison(plan, making, watch or Watching(), clock)
    comparison.run()
    return comparison.results("pix2pix", "a fake")


FACTORS = {
    "nothing helps": {"bf16": 1.5, "channels-last": 1.1, "compile": 1.2, "2 threads": 2.0},
    "bf16": {"bf16": 0.5, "channels-last": 1.1, "compile": 1.2, "2 threads": 1.5},
    "bf16 and channels-last": {"bf16": 0.5, "channels-last": 0.9, "compile": 1.2, "2 threads": 1.5},
    "all of it": {"bf16": 0.5, "channels-last": 0.9, "compile": 0.7, "2 threads": 0.9},
    "fewer threads": {"bf16": 1.5, "channels-last": 1.1, "compile": 1.2, "2 threads": 0.5},
    "compiling alone": {"bf16": 1.5, "channels-last": 1.1, "compile": 0.5, "2 threads": 1.5},
}


@pytest.mark.parametrize("factors", FACTORS.values(), ids=FACTORS)
def test_the_recommended_setting_is_the_fastest_of_all_there_are(factors):
    results = compared(factors)
    switches = itertools.product(("fp32", "bf16"), ("plain", "channels-last"), (False, True), (2, 4))
    everything = [
        replace(PLAIN, precision=precision, layout=layout, compile=compile_, threads=threads)
        for precision, layout, compile_, threads in switches
    ]
    assert results.fastest.setting == min(everything, key=lambda setting: cost(setting, factors))
    best, plain = (cost(setting, factors) for setting in (results.fastest.setting, PLAIN))
    assert results.gain(results.fastest) == pytest.approx(plain / best)


def test_broken_control_a_slower_setting_is_not_recommended():
    results = compared(FACTORS["bf16"])
    slow = min(results.rows, key=lambda row: row.pictures_per_sec)
    assert results.fastest != slow
    faked = replace(slow, timing=summary([1e-3]))
    assert replace(results, rows=(*(row for row in results.rows if row != slow), faked)).fastest == faked


def test_compiling_is_told_with_the_pictures_after_which_it_pays():
    results = compared(FACTORS["compiling alone"])
    row = next(row for row in results.rows if row.setting.compile)
    assert row.compile_sec == pytest.approx(100.0)
    # One iteration of 4 pictures takes 1 s, compiled 0.5 s.
    assert results.pays_after_images(row) == pytest.approx(100.0 / (0.25 - 0.125))
    assert "pays after 800 pictures" in "\n".join(telling.advice(results, recipe_named("pix2pix")))


def test_compiling_that_pays_too_late_is_not_recommended():
    results = compared(FACTORS["compiling alone"] | {"compile": 0.99})
    assert results.fastest.setting == PLAIN
    assert any(row.setting.compile and row.pictures_per_sec > results.fastest.pictures_per_sec for row in results.rows)


def test_a_larger_batch_is_recommended_with_its_rate_rule_and_the_own_one_beside_it():
    results = compared(FACTORS["bf16"], batch_sizes=(1, 2, 4, 8, 16))
    assert results.fastest.setting.batch_size == 16
    told = "\n".join(telling.advice(results, replace(recipe_named("pix2pix"), batch_size=4)))
    assert "Fastest at batches of 4" in told
    assert told.splitlines()[-1].endswith("--batch-size 16 --rate-rule linear --rate-batch 4")
    assert "the scores are to be looked at" in told


def test_a_batch_that_gains_next_to_nothing_stays_as_it_is():
    rows = [row for row in compared(FACTORS["bf16"]).rows if not row.setting.compile]
    results = replace(compared(FACTORS["bf16"]), rows=rows)
    best = results.fastest
    larger = replace(best.setting, batch_size=8)
    near = replace(best, setting=larger, timing=summary([2 * best.timing.median_sec / 1.02]))
    assert replace(results, rows=(*rows, near)).fastest == best


def test_the_fastest_batch_is_compiled_too_where_compiling_helps():
    results = compared(FACTORS["all of it"], batch_sizes=(4, 8))
    assert (results.fastest.setting.batch_size, results.fastest.setting.compile) == (8, True)


def test_batches_that_would_take_too_long_or_too_much_memory_are_lines():
    slow = compared({"bf16": 100.0, "channels-last": 1.1}, batch_sizes=(8, 64, 128, 256))
    assert {row.setting.batch_size for row in slow.rows} == {4, 8, 64}
    assert "batches of 128 and more" in slow.failed[-1].setting
    full = compared(FACTORS["bf16"], batch_sizes=(8, 16), takes=by_batch, free=7 * 10**9)
    assert [(failed.setting, failed.reason) for failed in full.failed] == [
        # and 16 is not even looked at
        ("bf16, plain, 4 threads, batch 8", "it would take 8.0 GB of memory, and 7.0 GB are free")
    ]


def by_batch(setting):
    return setting.batch_size * 10**9


@pytest.mark.parametrize(("free_gb", "batch_sizes"), [(4, {4}), (9, {4, 8}), (12, {4, 8}), (100, {4, 8, 16})])
def test_no_more_is_open_at_once_than_memory_holds(free_gb, batch_sizes):
    roomy = compared(FACTORS["bf16"], batch_sizes=(8, 16))
    results = compared(FACTORS["bf16"], batch_sizes=(8, 16), takes=by_batch, free=free_gb * 10**9)
    assert {row.setting.batch_size for row in results.rows} == batch_sizes
    assert not [failed for failed in results.failed if "beside" in failed.reason]
    measured = {row.setting: row.timing.median_sec for row in results.rows}
    expected = {row.setting: row.timing.median_sec for row in roomy.rows if row.setting.batch_size in batch_sizes}
    assert measured == pytest.approx(expected)


def test_broken_control_each_alone_is_too_much_together(monkeypatch):
    monkeypatch.setattr(Comparison, "_fit", lambda self, settings: True)
    results = compared(FACTORS["bf16"], takes=by_batch, free=4 * 10**9)
    assert [failed for failed in results.failed if "beside" in failed.reason]


def test_what_fails_is_a_line_and_no_crash():
    def fails(setting):
        if setting.compile:
            return "InvalidCxxCompiler: No working C++ compiler found"
        return "bf16 is not there\nTraceback ..." if setting.precision == "bf16" else None

    results = compared({}, fails=fails)
    told = "\n".join(telling.advice(results, recipe_named("pix2pix")))
    assert "Not measured: bf16, plain, 4 threads, batch 4: bf16 is not there" in told
    assert "No working C++ compiler found" in told
    assert "Traceback" not in told
    assert results.fastest.setting.precision == "fp32"


def test_stopping_keeps_what_was_measured():
    full, cut = compared(FACTORS["bf16"]), compared(FACTORS["bf16"], watch=Watching(stops_after=14))
    assert 0 < len(cut.rows) < len(full.rows)
    assert cut.fastest is not None
    nothing = compared(FACTORS["bf16"], watch=Watching(stops_after=0))
    assert list(telling.advice(nothing, recipe_named("pix2pix"))) == ["Nothing was measured: no setting to recommend"]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("compiles", [False, True])
def test_the_recommended_line_is_what_train_understands(name, compiles):
    recipe = recipe_named(name)
    setting = TrainingSetting(precision="bf16", layout="channels-last", compile=compiles, threads=2, batch_size=3)
    results = replace(compared({}), recipe=name, all_threads=4)
    row = replace(results.rows[0], setting=setting)
    words = shlex.split(telling.command(results, row, recipe, crop_px=512))
    assert words[:3] == ["pixturn", "train", name]
    parsed = parse(name, words[3:]).recipe
    assert TrainingSetting.of(parsed) == setting
    assert (parsed.rate_rule, parsed.rate_batch) == ("linear", recipe.batch_size)
    assert parsed.augmentation.crop_px == 512


def test_options_that_change_nothing_are_left_out():
    recipe = recipe_named("pix2pix")
    setting = replace(PLAIN, batch_size=recipe.batch_size)
    assert setting.options(recipe, all_threads=4) == ["--precision", "fp32", "--layout", "plain"]
    assert "--threads" in setting.options(recipe, all_threads=8)


# True engines


@pytest.mark.parametrize("name", RECIPES)
def test_a_synthetic_batch_has_the_shapes_of_every_recipe(name):
    recipe = with_known_domains(replace(recipe_named(name), batch_size=2), "rgb")
    recipe = replace(recipe, augmentation=replace(recipe.augmentation, crop_px=32, load_px=32, resize=True))
    batch, spec = synthetic_batch(recipe, CPU), recipe.spec()
    assert set(batch) == set(spec.domains)
    for domain, tensor in batch.items():
        if domain == "label":
            assert tensor.max() < spec.classes(domain)
            continue
        channels, *side = spec.shape(domain)
        scale = spec.scale if domain == "a" else 1
        assert tuple(tensor.shape) == (2, channels, *(px // scale for px in side))
        assert tensor.abs().max() <= 1


def test_points_are_points():
    recipe = with_known_domains(replace(recipe_named("gan-points"), batch_size=2), "vector:2")
    assert synthetic_batch(recipe, CPU)["x"].shape == (2, 2)


@pytest.mark.parametrize("name", TRANSLATING[:2])
def test_a_step_is_an_iteration_of_the_true_engine(name):
    step = Step(lasting(tiny_recipe(name)), CPU)
    before = [parameter.clone() for parameter in step._engine.method.parameters()]
    step()
    after = list(step._engine.method.parameters())
    assert step._engine.iteration == 1
    assert sum(not torch.equal(one, other) for one, other in zip(before, after, strict=True)) > len(before) / 2


def test_steps_are_taken_where_all_turns_of_the_run_are_due():
    recipe = tiny_recipe("compact-gan")
    step = Step(lasting(recipe), CPU)
    due = [turn.name for turn in step._engine.turns if turn.is_due(0, step._engine.progress)]
    assert {"generator", "discriminator"} <= set(due)


@pytest.fixture
def counted(monkeypatch):
    """A gigabyte a picture, so that nothing has to be counted."""
    monkeypatch.setattr(steps, "peak_bytes", lambda recipe: recipe.batch_size * 10**9)
    monkeypatch.setattr(steps, "free_memory_bytes", lambda: 1000 * 10**9)


@pytest.mark.usefixtures("counted")
def test_a_workshop_opens_settings_and_knows_the_memory():
    recipe = tiny_recipe("pix2pix-small")
    making, setting = workshop(recipe, CPU), TrainingSetting.of(recipe)
    making.open(setting)()
    assert making.memory_bytes(setting) == 2 * 10**9
    assert making.free_bytes() == 1000 * 10**9


@pytest.mark.slow
def test_memory_is_counted_by_the_true_engine():
    recipe = tiny_recipe("pix2pix-small")
    making, setting = workshop(recipe, CPU), TrainingSetting.of(recipe)
    one, many = (making.memory_bytes(replace(setting, batch_size=size)) for size in (1, 8))
    assert 0 < one < many
