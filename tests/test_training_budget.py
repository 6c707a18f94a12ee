"""A budget in minutes: how long the measurement goes on, and how the budget is spent."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from short_runs import short
from tiny import CPU

import pipelines.training.budget as budget
from pipelines.training.budget import fit_to_budget, images_per_sec, plan_within
from translate.processes import Processes
from translate.recipe import Length, Validation

pytest_plugins = ["training_fixtures"]
pytestmark = pytest.mark.usefixtures("threads_put_back")


@dataclass(frozen=True, kw_only=True)
class Slower(Processes):
    """Another process wants more steps than this one: any of them is enough for all."""

    wants: Iterator[bool]
    asked: list[bool]

    def any_process(self, flag):
        self.asked.append(flag)
        return flag or next(self.wants)


class Counted:
    """An engine that counts, and a stream that tells whether it was closed."""

    def __init__(self, processes: Processes, *, fails_at: int = 10**9) -> None:
        self.engine = self
        self.batches = self
        self.device, self.processes, self.images, self.closed, self._fails_at = CPU, processes, 0, False, fails_at

    def stream(self):
        return self

    def play(self, stream):
        self.images += 1
        if self.images >= self._fails_at:
            raise RuntimeError("out of luck")

    def close(self):
        self.closed = True


def test_the_measurement_goes_on_until_no_process_wants_another_step():
    """By its own clock alone each rank would leave the loop at another step, and the rest wait for ever."""
    session = Counted(Slower(wants=iter([True] * 4 + [False]), asked=[]))
    images_per_sec(session, warm_up=2, least=3, at_least_sec=0.0)
    assert session.images == 2 + 3 + 4
    assert session.engine.processes.asked == [True] * 3 + [False] * 5


def test_the_measurement_closes_its_stream_when_it_fails():
    session = Counted(Processes(), fails_at=2)
    with pytest.raises(RuntimeError, match="out of luck"):
        images_per_sec(session, warm_up=3, least=3, at_least_sec=0.0)
    assert session.closed


@pytest.mark.parametrize(
    ("left_sec", "validation_sec", "every_images", "images", "validations"),
    [
        (100.0, 0.1, 0, 980, 20),  # twenty take 2 seconds
        (100.0, 2.0, 0, 800, 10),  # as many as a fifth takes
        (100.0, 10.0, 0, 800, 2),
        (100.0, 20.0, 0, 600, 2),  # never fewer than two
        (100.0, 90.0, 0, 500, 2),  # and half of the time trains
        (100.0, 5.0, 50, 500, 10),  # 10 seconds for 50 images and their validation
        (100.0, 5.0, 1, 19, 19),
        (-5.0, 5.0, 0, 1, 2),
        (-5.0, 5.0, 50, 1, 1),
    ],
)
def test_how_a_budget_is_spent(left_sec, validation_sec, every_images, images, validations):
    plan = plan_within(left_sec, 10.0, validation_sec, every_images)
    assert (plan.images, plan.validations) == (images, validations)


@pytest.mark.parametrize(("validation_sec", "warned"), [(1.0, False), (9.0, True)])
def test_slow_validations_are_told_with_the_option_and_run_as_planned(validation_sec, warned, monkeypatch, caplog):
    monkeypatch.setattr(budget, "open_session", lambda *_: None)
    monkeypatch.setattr(budget, "_seconds_of_validation", lambda *_: validation_sec)
    monkeypatch.setattr(budget, "images_per_sec", lambda *_, **__: 100.0)
    recipe = short(length=Length(minutes=1.0), validation=Validation(best="l1"))
    fitted = fit_to_budget(recipe, None, CPU, Processes(), 0)
    assert ("--validation.most" in caplog.text) == warned
    images, every = fitted.length.images, fitted.validation.every_images
    validations = 2 if warned else 11
    assert images == pytest.approx(100 * (57 - validations * validation_sec), rel=0.01)
    assert -(-images // every) == validations
