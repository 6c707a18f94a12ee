"""Batches of pixels to arrays and back: a picture in a batch is what it is alone."""

import numpy as np
import pytest
from test_runtime import GreyNegative, card, noise, ruled, torch_runtime
from tiny import CPU, card_of, tiny_method, tiny_recipe

from pipelines.tasks import Translate
from translate.card import Card, LabelMap, Picture
from translate.errors import PictureError
from translate.runtime.base import Arrays
from translate.runtime.codec import Bytes, Floats, codec_for
from translate.runtime.torch import TorchRuntime

RULED = card((ruled(Picture(name="a"), 16, 32),), (ruled(Picture(name="b"), 16, 32),))


def with_pixels(inputs, outputs, **changes) -> Card:
    return Card(task="translate", method="m", name="n", inputs=inputs, outputs=outputs, pixels=True, **changes)


class NegativeOfBytes:
    """A model for pixels: 255 - x, at the size that it is given."""

    device = "fake"

    def __init__(self, of: Card) -> None:
        self.card = of
        self.seen: list[Arrays] = []

    def run(self, inputs: Arrays) -> Arrays:
        self.seen.append(inputs)
        return {port.name: 255 - inputs[self.card.inputs[0].name] for port in self.card.outputs}


def test_the_card_says_which_codec():
    assert isinstance(codec_for(RULED), Floats)
    assert isinstance(codec_for(with_pixels(RULED.inputs, RULED.outputs)), Bytes)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 5), (32, 32)])
def test_floats_are_padded_and_scaled_picture_by_picture(height, width):
    samples = [{"a": noise(height, width, seed=seed)} for seed in range(3)]
    codec = codec_for(RULED)
    together = codec.encode(samples)["a"]
    assert together.dtype == np.float32
    assert together.shape[0] == 3
    for index, sample in enumerate(samples):
        assert np.array_equal(together[index : index + 1], codec.encode([sample])["a"])
        inner = sample["a"].transpose(2, 0, 1) / 127.5 - 1
        np.testing.assert_allclose(together[index, :, :height, :width], inner, atol=1e-6)
    backwards = codec.decode({"b": together}, height, width)
    assert all(np.array_equal(made["b"], sample["a"]) for made, sample in zip(backwards, samples, strict=True))


def test_outputs_are_cropped_to_the_scale_of_the_card():
    of = Card(task="t", method="m", name="n", inputs=RULED.inputs, outputs=RULED.outputs, scale=2)
    numbers = np.random.default_rng(0).uniform(-1, 1, (2, 3, 64, 64)).astype(np.float32)
    made = codec_for(of).decode({"b": numbers}, 5, 9)
    assert [each["b"].shape for each in made] == [(10, 18, 3)] * 2
    expected = np.rint((numbers[1, :, :10, :18].transpose(1, 2, 0) + 1) * 127.5)
    assert np.array_equal(made[1]["b"], expected)


def test_bytes_go_in_and_come_out_as_they_are():
    runtime = NegativeOfBytes(with_pixels((Picture(name="a"),), (Picture(name="b"),)))
    pictures = [noise(13, 7, seed=seed) for seed in range(3)]
    made = Translate(runtime).batch(pictures)
    (given,) = runtime.seen
    assert given["a"].dtype == np.uint8
    assert np.array_equal(given["a"], np.stack(pictures))
    assert all(np.array_equal(each["b"], 255 - picture) for each, picture in zip(made, pictures, strict=True))


@pytest.mark.parametrize(("classes", "kind"), [(5, np.uint8), (256, np.uint8), (257, np.uint16)])
@pytest.mark.parametrize("form", ["H x W", "H x W x 1"])
def test_classes_go_in_as_the_smallest_type_that_holds_them(classes, kind, form):
    port = LabelMap(name="a", classes=classes)
    labels = np.random.default_rng(0).integers(0, classes, (4, 6))
    given = codec_for(with_pixels((port,), (port,))).encode([{"a": labels if form == "H x W" else labels[..., None]}])
    assert given["a"].dtype == kind
    assert given["a"].shape == (1, 4, 6, 1)
    assert np.array_equal(given["a"][0, ..., 0], labels)


def test_a_batch_is_what_its_pictures_are_alone():
    translate = Translate(torch_runtime(GreyNegative(), RULED))
    pictures = [noise(21, 40, seed=seed) for seed in range(3)]
    together = translate.batch(pictures)
    assert [each["b"].tobytes() for each in together] == [translate.outputs(each)["b"].tobytes() for each in pictures]
    assert len({each["b"].tobytes() for each in together}) == 3


def test_a_batch_of_a_real_network_is_what_its_pictures_are_alone():
    deploy = next(iter(tiny_method(tiny_recipe("cyclegan")).deploys().values()))
    translate = Translate(TorchRuntime(deploy, card_of(deploy), CPU))
    pictures = [noise(33, 21, seed=seed) for seed in range(3)]
    name = deploy.outputs[0].name
    for together, picture in zip(translate.batch(pictures), pictures, strict=True):
        alone = translate.outputs(picture)
        assert np.abs(together[name].astype(int) - alone[name]).max() <= 1


def test_pictures_of_several_sizes_are_no_batch():
    with pytest.raises(PictureError, match="one size") as refusal:
        Translate(torch_runtime(GreyNegative(), RULED)).batch([noise(3, 4), noise(4, 3)])
    assert refusal.value.reason == "sizes_differ"
