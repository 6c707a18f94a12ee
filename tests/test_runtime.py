"""Any size in, exactly that size out, whatever runs inside; against index arithmetic done by hand."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import CPU, card_of, tiny_method, tiny_recipe
from torch import Tensor, nn

from pipelines.tasks import Translate
from translate.card import Card, LabelMap, Picture, Port, SizeRule
from translate.errors import ConfigurationError, ModelError, PictureError, StorageError
from translate.method import Deploy
from translate.runtime.base import Arrays, Runtime
from translate.runtime.fake import FakeRuntime
from translate.runtime.padding import crop, pad, padded_size
from translate.runtime.torch import TorchRuntime

SIZES = [(1, 1), (5, 300), (65, 127), (1, 40), (40, 1), (32, 32)]
RGB = Picture(name="a")


def card(inputs: tuple[Port, ...] = (RGB,), outputs: tuple[Port, ...] = (Picture(name="b"),)) -> Card:
    return Card(task="translate", method="m", name="n", inputs=inputs, outputs=outputs)


def ruled(port: Port, multiple: int, least: int) -> Port:
    return replace(port, size=SizeRule(multiple_of_px=multiple, at_least_px=least))


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype(np.uint8)


class GreyNegative(nn.Module):
    """What FakeRuntime does, as a network."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, first: Tensor, *_others: Tensor) -> Tensor:
        return -first.mean(dim=1, keepdim=True).repeat(1, self.channels, 1, 1)


def torch_runtime(module: nn.Module, of: Card) -> TorchRuntime:
    deploy = Deploy(module=module, networks=(), task="translate", inputs=of.inputs, outputs=of.outputs)
    return TorchRuntime(deploy, of, CPU)


# Padding


def reflected(index: int, length: int) -> int:
    """The source of a padded row, by hand: 0 1 2 3 2 1 0 1 2 ... for a length of 4."""
    if length == 1:
        return 0
    period = 2 * (length - 1)
    place = index % period
    return place if place < length else period - place


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (2, 3), (5, 4), (16, 16), (17, 33), (3, 30)])
@pytest.mark.parametrize("rule", [SizeRule(), SizeRule(multiple_of_px=16, at_least_px=32), SizeRule(multiple_of_px=4)])
def test_padding_reflects_at_the_right_and_the_bottom(height, width, rule):
    array = np.random.default_rng(0).random((2, 3, height, width)).astype(np.float32)
    padded = pad(array, rule)
    rows = [reflected(row, height) for row in range(padded.shape[2])]
    columns = [reflected(column, width) for column in range(padded.shape[3])]
    assert np.array_equal(padded, array[:, :, rows][:, :, :, columns])
    assert padded.shape[2:] == padded_size(height, width, rule)
    assert padded.dtype == np.float32
    assert np.array_equal(crop(padded, height, width), array)


@pytest.mark.parametrize(
    ("size", "rule", "expected"),
    [
        ((1, 1), (1, 1), (1, 1)),
        ((1, 1), (4, 8), (8, 8)),
        ((8, 9), (4, 8), (8, 12)),
        ((100, 3), (1, 7), (100, 7)),
        ((256, 257), (256, 256), (256, 512)),
        ((5, 5), (4, 6), (8, 8)),
    ],
)
def test_least_size_in_the_rule(size, rule, expected):
    assert padded_size(*size, SizeRule(multiple_of_px=rule[0], at_least_px=rule[1])) == expected


# Any size, any runtime


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("kind", ["fake", "torch"])
def test_any_size_comes_back_as_itself(height, width, kind):
    """The negative of the grey mean, known pixel by pixel, through padding and cropping."""
    of = card((ruled(RGB, 16, 32),), (ruled(Picture(name="b"), 16, 32),))
    runtime: Runtime = FakeRuntime(of) if kind == "fake" else torch_runtime(GreyNegative(), of)
    pixels = noise(height, width)
    image = Translate(runtime)(pixels)
    assert image.size == (width, height)
    expected = 255 - pixels.astype(np.float64).mean(axis=2, keepdims=True)
    assert np.abs(np.asarray(image) - expected).max() <= 0.5001


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_any_size_comes_back_from_a_real_network(name, height, width):
    deploy = next(iter(tiny_method(tiny_recipe(name)).deploys().values()))
    image = Translate(TorchRuntime(deploy, card_of(deploy), CPU))(Image.fromarray(noise(height, width)))
    assert image.size == (width, height)
    assert image.mode == "RGB"


def test_what_a_runtime_is_given_is_in_the_rule_and_in_range():
    of = card((ruled(RGB, 16, 32),), (ruled(Picture(name="b"), 16, 32),))
    given: list[Arrays] = []

    class Spy(FakeRuntime):
        def run(self, inputs: Arrays) -> Arrays:
            given.append(inputs)
            return super().run(inputs)

    pixels = noise(33, 5)
    Translate(Spy(of))(pixels)
    (arrays,) = given
    assert arrays["a"].shape == (1, 3, 48, 32)
    assert arrays["a"].dtype == np.float32
    expected = pixels.transpose(2, 0, 1).astype(np.float64) / 127.5 - 1
    np.testing.assert_allclose(arrays["a"][0, :, :33, :5], expected, atol=1e-6)


def test_runtimes_are_interchangeable():
    of = card((ruled(RGB, 4, 8),), (ruled(Picture(name="b"), 4, 8),))
    pixels = noise(21, 13)
    images = [Translate(runtime)(pixels) for runtime in (FakeRuntime(of), torch_runtime(GreyNegative(), of))]
    assert images[0].tobytes() == images[1].tobytes()
    assert [Translate(runtime).card for runtime in (FakeRuntime(of), torch_runtime(GreyNegative(), of))] == [of, of]
    assert Translate(FakeRuntime(of)).device == "fake"
    assert Translate(torch_runtime(GreyNegative(), of)).device == "cpu"


def test_pictures_come_in_every_form(tmp_path: Path):
    pixels = noise(9, 14)
    path = tmp_path / "in.png"
    Image.fromarray(pixels).save(path)
    translate = Translate(FakeRuntime(card()))
    forms: list[Any] = [pixels, Image.fromarray(pixels), path, str(path), {"a": path}]
    assert len({translate(form).tobytes() for form in forms}) == 1


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_the_mode_follows_from_the_output_port(channels, mode):
    image = Translate(FakeRuntime(card(outputs=(Picture(name="b", channels=channels),))))(noise(4, 6))
    assert (image.mode, image.size) == (mode, (6, 4))


def test_colours_of_pil_images_become_those_of_the_port():
    of = card((Picture(name="a", channels=1),))
    grey = Image.fromarray(noise(4, 4)).convert("L")
    made = Translate(FakeRuntime(of))(grey.convert("RGB"))
    assert np.abs(255 - np.asarray(made)[..., 0].astype(int) - np.asarray(grey)).max() <= 1


# Several ports, label maps


def test_outputs_are_rounded_and_clamped():
    class Levels(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([-7.0, -1.0, 0.0, 0.5, 1.0, 3.0]).reshape(1, 1, 1, 6).repeat(1, 3, 1, 1)

    image = Translate(torch_runtime(Levels(), card()))(noise(1, 6))
    assert np.asarray(image)[0, :, 0].tolist() == [0, 0, 128, 191, 255, 255]


def test_several_inputs_reach_the_module_by_name_in_the_ports_order():
    class Minus(nn.Module):
        def forward(self, first: Tensor, second: Tensor) -> Tensor:
            return (first - second) / 2

    of = card((Picture(name="one", channels=1), Picture(name="two", channels=1)), (Picture(name="b", channels=1),))
    one, two = noise(3, 4, 1, seed=1), noise(3, 4, 1, seed=2)
    image = Translate(torch_runtime(Minus(), of))({"two": two, "one": one})
    expected = (one.astype(float) - two.astype(float)) / 2 + 127.5
    assert np.abs(np.asarray(image) - expected[..., 0]).max() <= 0.5001


def test_several_outputs_and_a_label_map_among_them():
    class Split(nn.Module):
        """The brightest of three channels, and the picture itself."""

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, -x

    of = card(outputs=(LabelMap(name="brightest", classes=3), Picture(name="negative")))
    pixels = noise(7, 5)
    outputs = Translate(torch_runtime(Split(), of)).outputs(pixels)
    assert list(outputs) == ["brightest", "negative"]
    assert outputs["brightest"].shape == (7, 5, 1)
    assert np.array_equal(outputs["brightest"][..., 0], pixels.argmax(axis=2))
    assert np.array_equal(outputs["negative"], 255 - pixels)
    image = Translate(torch_runtime(Split(), of))(pixels)
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), pixels.argmax(axis=2))


@pytest.mark.parametrize("classes", [3, 300])
@pytest.mark.parametrize("form", ["array", "image", "path"])
def test_label_maps_come_in_as_one_hot_with_every_class(classes, form, tmp_path: Path):
    class Identity(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert set(x.unique().tolist()) <= {-1.0, 1.0}
            assert torch.equal((x == 1.0).sum(dim=1), torch.ones_like(x[:, 0], dtype=torch.int64))
            return x

    port = ruled(LabelMap(name="a", classes=classes), 4, 8)
    of = card((port,), (ruled(LabelMap(name="b", classes=classes), 4, 8),))
    labels = np.random.default_rng(0).integers(0, classes, (6, 11)).astype(np.uint16 if classes > 256 else np.uint8)
    labels[0, 0] = classes - 1
    path = tmp_path / "labels.png"
    Image.fromarray(labels).save(path)
    given: Any = {"array": labels, "image": Image.fromarray(labels), "path": path}[form]
    image = Translate(torch_runtime(Identity(), of))(given)
    assert np.array_equal(np.asarray(image), labels)


# Errors


def test_wrong_names_of_inputs_are_refused():
    with pytest.raises(ConfigurationError, match=r"\['a'\].*\['b'\]"):
        Translate(FakeRuntime(card()))({"b": noise(2, 2)})
    two = card((Picture(name="one"), Picture(name="two")))
    with pytest.raises(ConfigurationError, match=r"\['one', 'two'\].*\['one'\]"):
        Translate(FakeRuntime(two))(noise(2, 2))


def test_pictures_of_one_sample_have_one_size():
    two = card((Picture(name="one"), Picture(name="two")))
    with pytest.raises(PictureError, match="one size"):
        Translate(FakeRuntime(two))({"one": noise(2, 2), "two": noise(2, 3)})


@pytest.mark.parametrize(
    ("port", "array"),
    [
        (RGB, noise(4, 4, 4)),
        (RGB, noise(4, 4)[..., 0]),
        (RGB, noise(4, 4).astype(np.float32) / 255),
        (RGB, noise(4, 4)[:0]),
        (LabelMap(name="a", classes=3), np.full((4, 4), 3, np.uint8)),
        (LabelMap(name="a", classes=3), noise(4, 4) % 3),
        (LabelMap(name="a", classes=3), np.full((4, 4), -1)),
        (LabelMap(name="a", classes=3), np.zeros((4, 4), np.float32)),
    ],
)
def test_arrays_that_do_not_fit_the_port_are_refused_with_what_fits(port, array):
    with pytest.raises(PictureError, match="'a'"):
        Translate(FakeRuntime(card((port,))))(array)


def test_a_colour_image_is_no_label_map():
    of = card((LabelMap(name="a", classes=3),))
    with pytest.raises(PictureError):
        Translate(FakeRuntime(of))(Image.fromarray(noise(4, 4)))


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path):
    path = tmp_path / "in.png"
    path.write_bytes(b"no picture")
    with pytest.raises(PictureError):
        Translate(FakeRuntime(card()))(path)


def test_serving_imports_no_torch():
    program = (
        "import sys, numpy as np\n"
        "from pipelines.tasks import Translate\n"
        "from translate.card import Card, Picture\n"
        "from translate.runtime.fake import FakeRuntime\n"
        "a, b = Picture(name='a'), Picture(name='b')\n"
        "card = Card(task='translate', method='m', name='n', inputs=(a,), outputs=(b,))\n"
        "assert Translate(FakeRuntime(card))(np.zeros((5, 7, 3), np.uint8)).size == (7, 5)\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Fails(nn.Module):
    """Asks for what no machine has, or cannot be run on such an input."""

    def __init__(self, of_memory):
        super().__init__()
        self.of_memory = of_memory

    def forward(self, picture):
        return torch.empty(1 << 60) if self.of_memory else picture @ torch.zeros(3, 1)


@pytest.mark.parametrize(("of_memory", "error"), [(True, StorageError), (False, ModelError)])
def test_a_torch_run_that_fails_is_an_error_with_an_exit_code(of_memory, error):
    port = Picture(name="a")
    module = Fails(of_memory)
    deploy = Deploy(
        module=module, networks=(module,), task="translate", inputs=(port,), outputs=(replace(port, name="b"),)
    )
    runtime = TorchRuntime(deploy, card_of(deploy), CPU)
    with pytest.raises(error, match="1 x 3 x 8 x 8"):
        runtime.run({"a": np.zeros((1, 3, 8, 8), np.float32)})
