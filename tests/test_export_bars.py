"""The bars of a proof, on figures made by hand."""

import numpy as np
import pytest
from exported_nets import samples
from tiny import photograph

from translate.card import Card, LabelMap, Mask, Picture, SizeRule
from translate.errors import ModelError
from translate.export.agreement import Agreement, compare_numbers, compare_pixels
from translate.export.bars import BARS, Bar
from translate.export.fitting import fitted
from translate.export.proof import proof_sizes, prove
from translate.runtime.fake import FakeRuntime

pytestmark = pytest.mark.usefixtures("one_thread")

PORTS = (Picture(name="b"),)
FAKE = Card(task="translate", method="m", name="n", inputs=(Picture(name="a"),), outputs=PORTS)


class Off(FakeRuntime):
    """Some of what FakeRuntime gives, shifted."""

    def __init__(self, shift, rows=slice(None)):
        super().__init__(FAKE)
        self._shift, self._rows = shift, rows

    def run(self, inputs):
        made = {name: array.copy() for name, array in super().run(inputs).items()}
        made["b"][..., self._rows, :] += np.float32(self._shift)
        return made


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("graph", "bar", "words"),
    [
        (Off(1.1e-4), Bar(difference=1e-4), "largest difference is 0.00011; at most 0.0001"),
        (Off(0.02), Bar(levels=2), "3 levels of 255 off; at most 2"),
        (Off(0.01), Bar(mean_levels=1.0), "mean difference is 1.2[78] levels; at most 1"),
        (Off(0.2, slice(0, 1)), Bar(psnr_db=40.0), "PSNR is .* dB; at least 40"),
        (Off(0.01), Bar(changed=0.005), r"\d\d\.\d\d% of the values have another level; at most 0.50% may"),
        (Off(float("nan")), BARS["fp32"], "largest difference is nan"),
    ],
)
def test_each_bar_refuses_what_is_beyond_it(graph, bar, words):
    prove(Off(0.0), Off(0.0), samples(), [(16, 16)], bar=bar)
    with pytest.raises(ModelError, match=words):
        prove(graph, Off(0.0), samples(), [(16, 16)], bar=bar)


def test_another_shape_is_refused():
    class Longer(FakeRuntime):
        def run(self, inputs):
            return {name: array[:, :2] for name, array in super().run(inputs).items()}

    with pytest.raises(ModelError, match="has the shape"):
        prove(Longer(FAKE), Off(0.0), samples(), [(16, 16)])


def test_a_graph_that_is_not_repeatable_is_refused():
    class Restless(FakeRuntime):
        runs = 0

        def run(self, inputs):
            self.runs += 1
            return {name: array + np.float32(1e-7 * self.runs) for name, array in super().run(inputs).items()}

    with pytest.raises(ModelError, match="the exported graph gives other numbers when it is run again"):
        prove(Restless(FAKE), Off(0.0), samples(), [(16, 16)])


def test_figures_by_hand():
    expected = {"b": np.zeros((1, 3, 2, 2), np.float32)}
    made = {"b": expected["b"].copy()}
    made["b"][0, 0, 0, 0] = 0.4
    agreement = compare_numbers(made, expected, PORTS)
    assert agreement.difference == pytest.approx(0.4)
    assert agreement.mean_levels == pytest.approx(0.4 / 12 * 127.5)
    assert agreement.psnr_db == pytest.approx(10 * np.log10(4 / (0.16 / 12)))
    # 0 is the middle, 127.5, and rounds to 128 (halves to even); 0.4 is 178.5, and rounds to 178.
    assert (agreement.levels, agreement.changed, agreement.values) == (50.0, 1, 12)
    assert agreement.share_changed == pytest.approx(1 / 12)


def test_what_leaves_the_range_counts_as_its_end():
    one, other = ({"b": np.full((1, 3, 2, 2), value, np.float32)} for value in (1.5, 0.75))
    assert compare_numbers(one, other, PORTS).difference == 0.25


def test_classes_have_no_distance():
    port = LabelMap(name="b", classes=9)
    one, other = np.zeros((1, 2, 2, 1), np.uint8), np.full((1, 2, 2, 1), 8, np.uint8)
    assert compare_pixels({"b": one}, {"b": other}, (port,)) == Agreement(levels=0.0, changed=4, values=4)


def test_sizes_of_a_proof_and_pictures_at_them():
    rule = SizeRule(multiple_of_px=4, at_least_px=8)
    least, usual, *odd = proof_sizes(rule, 256)
    assert (least, usual) == ((8, 8), (256, 256))
    assert len(odd) == 2
    assert all(side % 2 for size in odd for side in size)
    labels = np.array([[0, 7], [3, 5]], np.uint8)
    ports = (Picture(name="a"), LabelMap(name="m", classes=8))
    resized = fitted({"a": photograph("cat"), "m": labels}, ports, 5, 7)
    assert (resized["a"].shape, resized["m"].shape) == ((5, 7, 3), (5, 7, 1))
    assert set(np.unique(resized["m"])) == {0, 3, 5, 7}
    assert resized["a"].std() > 10


def test_grey_pictures_shrink_by_area_and_masks_keep_their_two_levels():
    """A checkerboard's mean is mid-grey; the nearest pixels alone are one colour, or stripes."""
    board = np.where(np.indices((24, 24)).sum(axis=0) % 2, 255, 0).astype(np.uint8)
    ports = (Picture(name="a", channels=1), Mask(name="m"))
    resized = fitted({"a": board[..., np.newaxis], "m": board}, ports, 4, 4)
    assert np.abs(resized["a"].astype(int) - 127.5).max() <= 2
    assert resized["a"].shape == (4, 4, 1)
    assert set(np.unique(resized["m"])) <= {0, 255}
    colours = fitted({"a": np.stack([board] * 3, axis=-1)}, (Picture(name="a"),), 4, 4)["a"]
    np.testing.assert_array_equal(colours[..., :1], resized["a"])
