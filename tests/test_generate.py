"""Generating: what is drawn is addressed by seed and index, classes and codes are what was asked for."""

import subprocess
import sys

import numpy as np
import pytest
from linear_generators import CODE, DIGIT, PICTURE, POINT, LinearGenerator, Z, card, shape_of, weights
from PIL import Image
from scipy import stats

from pipelines.generating import Generate, draws
from pipelines.generating.generate import image_of
from translate.card import FixedPicture, Label, Latent, Picture
from translate.errors import ConfigurationError, ModelError


@pytest.fixture
def runtime():
    return LinearGenerator()


@pytest.fixture
def generate(runtime):
    return Generate(runtime)


def same(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


# Noise is addressed


@pytest.mark.parametrize(("count", "batch"), [(1, 1), (5, 2), (5, 64), (40, 7)])
def test_a_sample_is_the_same_in_every_company(generate, count, batch):
    """The inputs to the last bit, and so the pictures of a model that rounds alike in all batches."""
    every = generate.arrays(40, seed=11)["picture"]
    assert np.array_equal(generate.arrays(count, seed=11, batch=batch)["picture"], every[:count])
    assert same(
        generate.draw(count, seed=11), {name: rows[:count] for name, rows in generate.draw(40, seed=11).items()}
    )


def test_control_a_stream_is_not_addressed(generate, monkeypatch):
    """Drawn from one stream, port after port, the second port's numbers would depend on how many samples there are."""

    def streaming(seed):
        stream = np.random.default_rng(seed)
        return lambda port, count, seed: stream.standard_normal((count, port.size)).astype(np.float32)

    monkeypatch.setattr(draws, "noise", streaming(11))
    few = generate.draw(5, seed=11)
    monkeypatch.setattr(draws, "noise", streaming(11))
    assert not same(few, {name: rows[:5] for name, rows in generate.draw(40, seed=11).items()})


def test_batches_are_as_large_as_asked(generate, runtime):
    told = []
    list(generate.pictures(generate.draw(10), batch=4, progress=lambda done, total: told.append((done, total))))
    assert [len(given["z"]) for given in runtime.seen] == [4, 4, 2]
    assert told == [(4, 10), (8, 10), (10, 10)]


def test_seeds_samples_and_ports_differ():
    ports = (Z, Latent(name="y", size=Z.size))
    noise = np.concatenate([draws.noise(port, 50, seed) for port in ports for seed in (0, 1, 2**64 - 1)])
    assert len(np.unique(noise, axis=0)) == 300
    assert len(np.unique(noise)) == noise.size


@pytest.mark.parametrize(("port", "law"), [(Z, stats.norm()), (CODE, stats.uniform(-1, 2))], ids=["normal", "uniform"])
def test_noise_has_its_distribution(port, law):
    noise = draws.noise(port, 2000, 3)
    assert noise.dtype == np.float32
    assert stats.kstest(noise.ravel(), law.cdf).pvalue > 0.01
    assert stats.kstest(noise.ravel() * 1.1, law.cdf).pvalue < 0.01  # control
    neighbours = np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(len(noise))


def test_spread_scales_normal_noise_alone(generate):
    plain, narrow = generate.draw(4), generate.draw(4, spread=0.5)
    assert np.array_equal(narrow["z"], plain["z"] * np.float32(0.5))
    assert np.array_equal(narrow["code"], plain["code"])


# Pictures


def test_pictures_are_the_models_numbers_as_levels(generate):
    inputs = generate.draw(3, seed=2)
    flat = inputs["z"] @ weights(PICTURE) + 0.2 * inputs["digit"][:, None] + 0.1 * inputs["code"][:, :1]
    levels = np.clip(np.rint((flat.reshape(-1, *shape_of(PICTURE)) + 1) * 127.5), 0, 255)
    pictures = generate(3, seed=2)
    assert [picture.size for picture in pictures] == [(4, 5)] * 3
    made = np.stack([np.asarray(picture) for picture in pictures]).astype(int)
    assert np.abs(made - levels.transpose(0, 2, 3, 1)).max() <= 1


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_channels_say_the_mode(channels, mode):
    port = FixedPicture(name="picture", channels=channels, height_px=2, width_px=3)
    picture = Generate(LinearGenerator(card(outputs=(port,))))(1)[0]
    assert (picture.mode, picture.size) == (mode, (3, 2))


def test_points_come_as_arrays_only():
    generate = Generate(LinearGenerator(card(inputs=(Z,), outputs=(POINT,))))
    np.testing.assert_allclose(
        generate.arrays(7, seed=1)["point"], generate.draw(7, seed=1)["z"] @ weights(POINT), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(ConfigurationError, match=r"arrays.*\.npz"):
        generate(1)


def test_image_of_keeps_the_pixels():
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(np.asarray(image_of(pixels)), pixels)
    assert isinstance(image_of(pixels[..., :1]), Image.Image)


# Classes


@pytest.mark.parametrize(
    ("label", "numbers"),
    [
        (None, [0, 1, 2, 0, 1]),
        (2, [2, 2, 2, 2, 2]),
        ("two", [2, 2, 2, 2, 2]),
        ("1", [1, 1, 1, 1, 1]),
        (["two", 0], [2, 0, 2, 0, 2]),
        (np.array([2, 1, 0, 0, 1]), [2, 1, 0, 0, 1]),
    ],
    ids=str,
)
def test_classes_are_those_asked_for(generate, runtime, label, numbers):
    generate(5, label=label)
    assert runtime.seen[0]["digit"].tolist() == numbers
    assert runtime.seen[0]["digit"].dtype == np.int64


def test_the_class_changes_no_noise(generate):
    assert np.array_equal(generate.draw(6, label=1)["z"], generate.draw(6, label=2)["z"])


@pytest.mark.parametrize("label", [3, -1, "tow", "7", [0, "nine"], []], ids=str)
def test_a_class_that_is_not_there_is_refused_with_those_that_are(generate, label):
    with pytest.raises(ConfigurationError, match="0 nought, 1 one, 2 two") as refusal:
        generate(2, label=label)
    assert ("did you mean two" in str(refusal.value)) == (label == "tow")


def test_many_classes_are_not_all_listed():
    generate = Generate(LinearGenerator(card(inputs=(Z, Label(name="digit", classes=1000)))))
    with pytest.raises(ConfigurationError, match=r"the classes are 0 to 999$"):
        generate(1, label=1000)


def test_a_second_label_is_drawn():
    other = Label(name="style", classes=4)
    style = Generate(LinearGenerator(card(inputs=(Z, DIGIT, other)))).draw(400)["style"]
    assert set(style) == {0, 1, 2, 3}
    assert min(np.bincount(style)) > 60
    assert style[:4].tolist() != [0, 1, 2, 3]  # not in turns


# Codes and latents


@pytest.mark.parametrize("code", [[0.5, -1], [[0.5, -1]], [[0.5, -1]] * 3], ids=str)
def test_codes_are_given_by_name(generate, runtime, code):
    generate(3, codes={"code": code})
    assert runtime.seen[0]["code"].tolist() == [[0.5, -1.0]] * 3


def test_a_label_may_be_given_by_name_too(generate):
    assert generate.draw(2, codes={"digit": [2, 1]})["digit"].tolist() == [2, 1]
    assert generate.draw(2, codes={"digit": "two"})["digit"].tolist() == [2, 2]


def test_the_latent_is_given(generate):
    latent = np.arange(12, dtype=np.float32).reshape(2, 6)
    drawn = generate.draw(2, latent=latent, spread=0.5)
    assert np.array_equal(drawn["z"], latent)
    drawn["z"][:] = 0
    assert latent.any()  # a copy


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"n": 0}, "at least 1"),
        ({"batch": 0}, "at least 1"),
        ({"seed": -1}, "--seed -1:"),
        ({"seed": 2**64}, "from 0 to"),
        ({"spread": -0.1}, "--spread -0.1:"),
        ({"spread": np.nan}, "--spread nan:"),
        ({"codes": {"colour": [1]}}, "takes z, digit, code, not colour"),
        ({"codes": {"code": [1, 2, 3]}}, "give 2 numbers, or 4 x 2"),
        ({"codes": {"code": [[1, 2]] * 3}}, "give 2 numbers, or 4 x 2"),
        ({"codes": {"code": [np.inf, 0]}}, "finite"),
        ({"codes": {"digit": [0, 1, 2]}}, "3 classes were given"),
        ({"codes": {"digit": 0.5}}, "whole numbers"),
        ({"latent": np.zeros(5)}, "give 6 numbers"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(generate, given, words):
    with pytest.raises(ConfigurationError, match=words):
        generate(**({"n": 4} | given))


def test_what_the_model_does_not_take_is_refused():
    plain = Generate(LinearGenerator(card(inputs=(Z,))))
    with pytest.raises(ConfigurationError, match="knows no classes"):
        plain(1, label=0)
    vector = Generate(LinearGenerator(card(inputs=(POINT,))))
    with pytest.raises(ConfigurationError, match="takes no latent"):
        vector.draw(1, latent=[0.0])
    with pytest.raises(ConfigurationError, match=r"cannot be drawn.*--code point"):
        vector.draw(1)
    assert vector.draw(2, codes={"point": [1, 2]})["point"].tolist() == [[1, 2], [1, 2]]


def test_what_takes_pictures_is_no_generator():
    with pytest.raises(ModelError, match="not a generator"):
        Generate(LinearGenerator(card(inputs=(Picture(name="a"),))))


# Without torch


WITHOUT_TORCH = """
import sys
for name in ("torch", "torchvision", "kornia", "scipy", "onnx", "imageio_ffmpeg"):
    sys.modules[name] = None
import {module}
"""


@pytest.mark.parametrize(
    ("module", "code"),
    [("pipelines.generating.outputs", 0), ("pipelines.commands.generate", 0), ("pipelines.inversion", 1)],
)
def test_generating_needs_no_torch_and_inversion_does(module, code):
    program = [sys.executable, "-c", WITHOUT_TORCH.format(module=module)]
    assert subprocess.run(program, capture_output=True, timeout=60).returncode == code
