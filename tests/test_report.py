import base64
import hashlib
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pipelines.report import (
    Chart,
    Command,
    DataSummary,
    Estimate,
    Example,
    Finding,
    Metric,
    Report,
    ScoreRow,
    ScoreTable,
    Series,
    group_series,
    page,
    write_report,
)
from pipelines.report.curves import is_noisy, moving_average, thin
from pipelines.report.pictures import embed, shown_size

HOSTILE = '<script>alert("x")</script><img src=https://evil.example/x onerror=alert(1)>'


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text of each."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.stack = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = SimpleNamespace(tag=tag, attributes=dict(attrs), text="")
        self.elements.append(element)
        if tag not in {"img", "input", "meta"}:
            self.stack.append(element)

    def handle_endtag(self, tag):
        assert self.stack.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        for element in self.stack:
            element.text += data

    def all(self, tag, css_class=None):
        return [
            element
            for element in self.elements
            if element.tag == tag and (css_class is None or css_class in element.attributes.get("class", "").split())
        ]


def picture(seed=0, side=8, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), dtype=np.uint8)


def example(key, scores=None, **changes):
    values = {"input": picture(1), "output": picture(2), "truth": picture(3), "scores": scores or {}} | changes
    return Example(key=key, **values)


def report(**changes):
    bare = Report(
        title="Line art to colour",
        method="pix2pix",
        name="demo",
        status="finished: 50,000 images",
        started=datetime(2026, 8, 1, 14, 5, tzinfo=UTC),
        minutes=7.9,
    )
    return replace(bare, **changes)


@pytest.fixture
def written(tmp_path):
    def write(**changes):
        path = tmp_path / "report.html"
        write_report(path, report(**changes))
        return Page(path.read_text(encoding="utf-8"))

    return write


def full(text="plain"):
    """A report in which every string is `text`."""
    finding = Finding(severity="warning", message=text, remedy=text)
    table = ScoreTable(
        metrics=(Metric(name=text, unit=text, better="lower", pictures=3),),
        rows=(ScoreRow(name=text, ours=True, values={text: Estimate(mean=1.0, standard_error=0.1)}),),
    )
    return report(
        title=text,
        method=text,
        name=text,
        status=text,
        verdicts=(finding,),
        scores=table,
        examples=(example(text, {text: 1.0}, extra={text: picture(4)}),),
        examples_note=text,
        charts=(Chart(title=text, unit=text, series=(Series(name=text, points=((1, 2.0),)),)),),
        health=(finding,),
        data=DataSummary(description=text, pictures={text: 3}, licence=text, problems=(finding,)),
        recipe={text: text},
        environment={text: text},
        next_steps=(Command(purpose=text, line=text),),
    )


def test_nothing_comes_from_outside_and_the_policy_forbids_the_network():
    seen = Page(page.render(full()))
    assert not seen.stack, "every element is closed"
    for element in seen.elements:
        assert element.tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset", "action"):
            assert element.attributes.get(name, "#").startswith(("#", "data:image/"))
    [style, *_] = seen.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    [policy] = [meta.attributes["content"] for meta in seen.all("meta") if "http-equiv" in meta.attributes]
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert "unsafe" not in policy


def test_the_policy_names_exactly_the_styles_and_scripts_of_the_page():
    seen = Page(page.render(full()))
    [policy] = [meta.attributes["content"] for meta in seen.all("meta") if "http-equiv" in meta.attributes]
    runs = [script for script in seen.all("script") if script.attributes.get("type") != "application/json"]
    digests = {
        base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        for element in (*runs, *seen.all("style"))
    }
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == digests
    inline = [name for element in seen.elements for name in element.attributes if name == "style" or name[:2] == "on"]
    assert not inline, "the policy would forbid these"


def test_hostile_strings_are_shown_and_change_nothing():
    tame, hostile = Page(page.render(full())), Page(page.render(full(HOSTILE)))
    assert [element.tag for element in hostile.elements] == [element.tag for element in tame.elements]
    assert [set(element.attributes) for element in hostile.elements] == [set(e.attributes) for e in tame.elements]
    assert hostile.all("h1")[0].text == HOSTILE
    assert hostile.all("article")[0].attributes["data-key"] == HOSTILE
    [data] = hostile.all("script", "chart-data")
    assert json.loads(data.text)[0]["name"] == HOSTILE


@pytest.mark.parametrize(
    ("better", "expected"),
    [("lower", ["nan", "ten", "nine", "two", "none"]), ("higher", ["nan", "two", "nine", "ten", "none"])],
)
def test_every_example_is_there_and_the_worst_first(written, better, expected):
    values = {"two": 2.0, "ten": 10.0, "nan": math.nan, "nine": 9.0}
    examples = [example(key, {"L1": value, "other": -value}) for key, value in values.items()]
    table = ScoreTable(metrics=(Metric(name="L1", better=better, pictures=5),), rows=())
    seen = written(examples=(*examples, example("none", {"other": 0.0})), scores=table)
    assert [card.attributes["data-key"] for card in seen.all("article")] == expected
    sorting = [option.attributes["value"] for option in seen.all("option")]
    assert sorting[0] == ("down:L1" if better == "lower" else "up:L1")


def test_pictures_beyond_the_first_dozen_wait_hidden_and_unloaded(written):
    seen = written(examples=tuple(example(f"{number}", {"L1": -number}) for number in range(30)))
    cards = seen.all("article")
    assert [card.attributes["data-key"] for card in cards] == [str(number) for number in range(30)]
    assert ["hidden" in card.attributes for card in cards] == [False] * 12 + [True] * 18
    images = seen.all("img")
    assert len(images) == 90
    assert all(image.attributes["loading"] == "lazy" for image in images)
    assert all(image.attributes["alt"] and image.attributes["width"] == "256" for image in images)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_small_pictures_are_exact(channels):
    pixels = picture(side=64, channels=channels)
    if channels == 4:
        pixels[..., 3] |= 1
    shown = Image.open(io.BytesIO(base64.b64decode(embed(pixels).address.partition(",")[2])))
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    assert np.array_equal(np.asarray(shown.convert(mode)), pixels.squeeze())
    assert embed(pixels).has_alpha == (channels == 4)


def test_large_photographs_are_jpeg_near_the_original_and_large_drawings_exact():
    ramp = np.linspace(0, 255, 256)
    photo = np.stack([ramp[:, None] + 0 * ramp, 0 * ramp[:, None] + ramp, np.full((256, 256), 90)], axis=2)
    photo = (photo + np.random.default_rng(0).normal(0, 6, photo.shape)).clip(0, 255).astype(np.uint8)
    address = embed(photo).address
    assert address.startswith("data:image/jpeg")
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))), dtype=float)
    assert np.abs(shown - photo).mean() < 6
    drawing = np.zeros((256, 256, 3), dtype=np.uint8)
    drawing[40:90, 30:200] = (250, 10, 60)
    assert embed(drawing).address.startswith("data:image/webp")


@pytest.mark.parametrize(
    "pixels", [np.zeros((8, 8, 3)), np.zeros((8, 8, 2), np.uint8), np.zeros((0, 8, 3), np.uint8), np.zeros(8, np.uint8)]
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(ValueError, match="uint8, height x width"):
        embed(pixels)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((64, 64), (256, 256)),
        ((96, 64), (192, 128)),
        ((256, 100), (256, 100)),
        ((512, 256), (256, 128)),
        ((900, 1), (256, 1)),
    ],
)
def test_pictures_are_shown_at_whole_multiples(size, shown):
    assert shown_size(*size) == shown


def test_two_hundred_pictures_stay_small():
    one = example("one", {"L1": 1.0}, input=picture(1, 64), output=picture(2, 64), truth=picture(3, 64))
    text = page.render(report(examples=tuple(replace(one, key=str(number)) for number in range(200))))
    noise_bytes = 3 * 64 * 64 * 3 * 4 / 3  # nothing compresses noise; base64 adds a third
    assert len(text) < 200 * (noise_bytes * 1.1 + 2500) + 100_000


def test_scores_are_given_with_their_error_and_the_best_is_bold(written):
    metrics = (
        Metric(name="L1", better="lower", unit="of 255", pictures=2000),
        Metric(name="PSNR", better="higher", pictures=1, unit="dB"),
    )
    rows = (
        ScoreRow(name="ours", ours=True, values={"L1": Estimate(mean=9.1234, standard_error=0.312)}),
        ScoreRow(
            name="input",
            values={"L1": Estimate(mean=14.2, standard_error=1.5), "PSNR": Estimate(mean=21.456)},
        ),
        ScoreRow(name="broken", values={"L1": Estimate(mean=math.nan), "PSNR": Estimate(mean=math.inf)}),
    )
    seen = written(scores=ScoreTable(metrics=metrics, rows=rows))
    assert [cell.text for cell in seen.all("td")] == ["9.12 ± 0.31", "—", "14.20 ± 1.50", "21.46", "—", "—"]
    assert [cell.text for cell in seen.all("strong")] == ["9.12", "21.46"]
    heads = [cell.text for cell in seen.all("th")]
    assert "L1 (of 255) ↓lower is better, 2,000 pictures" in heads
    assert "PSNR (dB) ↑higher is better, 1 picture" in heads


def test_unpaired_pictures_have_no_truth_and_offer_their_extra_ones(written):
    unpaired = example("a", truth=None, extra={"cycle": picture(5)})
    seen = written(examples=(unpaired,))
    pairs = [
        (b.attributes["data-left"], b.attributes["data-right"])
        for b in seen.all("button")
        if "data-left" in b.attributes
    ]
    assert pairs == [("input", "output"), ("output", "cycle")]
    assert [image.attributes["alt"] for image in seen.all("img")] == ["Input of a", "Output of a", "Cycle of a"]


def test_what_is_missing_is_left_out_and_what_was_not_checked_is_not_praised(written):
    assert [head.text for head in written().all("h2")] == []
    assert [head.text for head in written(health=()).all("h2")] == ["Health"]


def test_curves_with_values_that_are_not_finite_are_gaps_and_are_named(written):
    points = ((0, 1.5), (100, math.nan), (200, math.inf), (300, 0.25))
    seen = written(
        charts=(Chart(title="losses", series=(Series(name="l1", points=points), Series(name="x", points=()))),)
    )
    [data] = seen.all("script", "chart-data")
    first, empty = json.loads(data.text)
    assert first == {"name": "l1", "x": [0, 100, 200, 300], "raw": [1.5, None, None, 0.25], "smooth": None}
    assert empty["x"] == []
    [figure] = seen.all("figure", "chart")
    assert "2 values, the first at 100 images" in figure.text
    assert [entry.text for entry in seen.all("li")] == ["l1 0.250", "x —"]


def test_the_legend_says_where_a_metric_was_best(written):
    curves = {"validation/psnr": [(100, 20.0), (200, 23.5), (300, 23.0)]}
    [entry] = written(charts=group_series(curves, better={"psnr": "higher"})).all("li")
    assert entry.text == "psnr 23.0, best (highest) 23.5 at 200 images"


def test_losses_share_charts_and_validation_metrics_do_not():
    points = [(0, 1.0)]
    names = ["generator/l1", "generator/gan", "discriminator/real", "validation/l1", "validation/psnr", "rate"]
    charts = group_series(dict.fromkeys(names, points), better={"l1": "lower"})
    assert [(chart.title, [series.name for series in chart.series], chart.better) for chart in charts] == [
        ("generator", ["l1", "gan"], None),
        ("discriminator", ["real"], None),
        ("validation: l1", ["l1"], "lower"),
        ("validation: psnr", ["psnr"], None),
        ("rate", ["rate"], None),
    ]


def test_the_moving_average_has_no_bias_follows_its_closed_form_and_skips_holes():
    assert moving_average([7.0] * 50) == pytest.approx([7.0] * 50)
    values = np.random.default_rng(0).normal(size=30)
    weights = 0.8 ** np.arange(30)[::-1]  # a window of 5 points
    assert moving_average(list(values))[-1] == pytest.approx(np.average(values, weights=weights))
    with_hole = moving_average([1.0, math.nan, 3.0])
    assert math.isnan(with_hole[1])
    assert with_hole[2] == moving_average([1.0, 3.0])[1]


def test_only_noisy_curves_are_smoothed():
    steps = np.arange(500)
    assert is_noisy(list(np.exp(-steps / 99) + np.random.default_rng(0).normal(0, 0.1, 500)))
    assert not is_noisy(list(np.maximum(0, 1 - steps / 250)))


def test_thinning_keeps_ends_spikes_and_holes():
    values = [math.sin(index / 3000) for index in range(20_000)]
    values[7777], values[1234], values[5555] = 50.0, -50.0, math.nan
    kept = thin(values, buckets=100)
    assert {0, 19_999, 7777, 1234, 5555} <= set(kept)
    assert len(kept) <= 303
    assert kept == sorted(kept)


def test_the_recipe_can_be_copied_and_read_back(written):
    recipe = {"method": "pix2pix", "config": {"lambda_l1": 100.0, "name": "Früh & <spät>"}}
    [code] = written(recipe=recipe).all("code")
    assert json.loads(code.text) == recipe


def test_the_gravest_health_finding_comes_first(written):
    found = [Finding(severity=severity, message=severity) for severity in ("good", "warning", "error", "info")]
    assert [entry.attributes["class"] for entry in written(health=tuple(found)).all("li")] == [
        "error",
        "warning",
        "info",
        "good",
    ]


def test_no_torch_is_imported():
    code = "import sys, pipelines.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
