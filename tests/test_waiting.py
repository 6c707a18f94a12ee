"""Whoever waits for pictures is told so, once, and nobody else."""

import pytest

from translate.data.waiting import Waiting


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def run(*, batches, wait_sec, step_sec, first_sec=5.0):
    clock = Clock()
    waiting = Waiting(3, clock)
    for number in range(batches):
        with waiting.measured():
            clock.now += wait_sec if number else first_sec
        clock.now += step_sec
    return waiting


@pytest.mark.parametrize(
    ("wait_sec", "step_sec", "batches", "told"),
    [
        (1.0, 1.0, 100, 1),  # half of the time
        (0.3, 0.7, 100, 1),
        (0.1, 0.9, 100, 0),  # a tenth
        (1.0, 1.0, 10, 0),  # too short to say
        (0.0, 1.0, 100, 0),
    ],
)
def test_it_is_told_once_where_much_time_goes_to_waiting(wait_sec, step_sec, batches, told, caplog):
    run(batches=batches, wait_sec=wait_sec, step_sec=step_sec)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * told
    assert not told or (f"{100 * wait_sec / (wait_sec + step_sec):.0f} %" in caplog.text and "--cache" in caplog.text)


def test_the_start_of_the_workers_does_not_count(caplog):
    run(batches=40, wait_sec=0.01, step_sec=1.0, first_sec=60.0)
    assert caplog.text == ""


def test_an_error_on_the_way_goes_through():
    with pytest.raises(OSError, match="away"), Waiting(0).measured():
        raise OSError("away")
