"""The table of scores in a report: laid so that it fits, no figure lost to rounding; numbers as people read them."""

import math
import re

import pytest

from pipelines.report import Estimate, Metric, ScoreRow, ScoreTable
from pipelines.report.numbers import column_decimals, duration, significant
from pipelines.report.scores import score_table

CELLS = re.compile(r"<(th|td)((?: [^>]*)?)>(.*?)</\1>")


def cells_of(table, name):
    """Attributes and text of each cell."""
    return [(attributes, re.sub(r"<[^>]+>", "", text)) for tag, attributes, text in CELLS.findall(table) if tag == name]


def table_of(count, ours=2.0, rival=1.0):
    metrics = tuple(Metric(name=f"m{number}", better="higher", pictures=9) for number in range(count))
    rows = tuple(
        ScoreRow(name=name, ours=name == "ours", values={one.name: Estimate(mean=mean) for one in metrics})
        for name, mean in (("ours", ours), ("input", rival))
    )
    return score_table(ScoreTable(metrics=metrics, rows=rows)).text


@pytest.mark.parametrize(
    ("count", "corner", "heads", "figures"),
    [(6, "Contestant", 7, ["2.000"] * 6 + ["1.000"] * 6), (7, "Metric", 3, ["2.000", "1.000"] * 7)],
)
def test_many_metrics_are_rows_since_they_would_not_fit_beside_one_another(count, corner, heads, figures):
    table = table_of(count)
    across = [text for attributes, text in cells_of(table, "th") if 'scope="col"' in attributes]
    assert (across[0], len(across)) == (corner, heads)
    assert [text for _, text in cells_of(table, "td")] == figures
    assert [text for attributes, text in cells_of(table, "td") if "ours" in attributes] == ["2.000"] * count
    assert re.findall("<strong>(.*?)</strong>", table) == ["2.000"] * count


def test_what_is_not_nothing_is_not_written_as_nothing():
    assert [text for _, text in cells_of(table_of(1, ours=3.6e-96, rival=0.46), "td")] == ["3.6e-96", "0.4600"]
    assert [text for _, text in cells_of(table_of(1, ours=0.0, rival=0.46), "td")] == ["0.0000", "0.4600"]


@pytest.mark.parametrize(
    ("minutes", "text"), [(0.75, "45 s"), (7.9, "7.9 min"), (59.96, "1 h 00 min"), (125.2, "2 h 05 min")]
)
def test_durations(minutes, text):
    assert duration(minutes) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (9.1234, "9.123"),
        (-0.012341, "-0.01234"),
        (123456.7, "123,457"),
        (2.5e-7, "2.500e-07"),
        (math.inf, "—"),
    ],
)
def test_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("estimates", "decimals"),
    [
        ([Estimate(mean=9.1, standard_error=0.31), Estimate(mean=1.0, standard_error=4.0)], 2),
        ([Estimate(mean=31.4), Estimate(mean=118.2)], 1),
        ([Estimate(mean=1e-9, standard_error=1e-12)], 5),
        ([Estimate(mean=math.nan)], 0),
        ([Estimate(mean=0.0, standard_error=0.0)], 0),
    ],
)
def test_decimals_of_a_column(estimates, decimals):
    assert column_decimals(estimates) == decimals
