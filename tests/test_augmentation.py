import subprocess
import sys

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from translate.card import LabelMap, Picture
from translate.data.augmentation import Augmentation, ColourJitter, EvaluationTransform, TrainingTransform
from translate.data.device_augmentation import DeviceAugmentation, DeviceAugmenter, _Placement, _turn
from translate.data.domain import ports_of
from translate.errors import ConfigurationError

A = {"a": ports_of(("rgb",), "a")}
PAIR = {"a": ports_of(("rgb", "labels:7"), "a"), "b": ports_of(("rgb", "grey"), "b")}


def coordinates(height, width):
    """A picture whose pixels say where they come from: red is the row, green the column."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([rows, columns, np.zeros_like(rows)], axis=2)


def paths(picture):
    """Corner row, corner column, and the directions in which rows and columns run."""
    rows, columns = picture[..., 0].astype(int), picture[..., 1].astype(int)
    return rows.min(), columns.min(), rows[1, 0] - rows[0, 0], columns[0, 1] - columns[0, 0]


def draws(count=300, **options):
    transform = TrainingTransform(Augmentation(load_px=40, crop_px=32, **options), A, seed=5)
    picture = coordinates(40, 40)
    return np.array([paths(transform({"a": picture}, epoch=0, index=index)["a"]) for index in range(count)])


def test_the_crop_is_a_piece_of_the_picture_and_every_place_occurs():
    found = draws(flip=False)
    assert (found[:, 2] == 1).all()
    assert (found[:, 3] == 1).all()
    assert set(found[:, 0]) == set(range(9))
    assert set(found[:, 1]) == set(range(9))


def test_flips_are_fair_and_independent_of_one_another_and_of_the_crop():
    # albumentations' set_random_seed gives every step one seed: crop and flip then correlate at -0.85.
    found = draws(600, vertical_flip=True)
    assert abs((found[:, 3] == -1).mean() - 0.5) < 0.08
    correlations = np.corrcoef(found.T) - np.eye(4)
    assert np.abs(correlations).max() < 0.16  # four standard deviations of 600 independent draws


@pytest.mark.parametrize(
    "options", [{}, {"rotate_degrees": 30.0}, {"scale_jitter": 0.3}, {"keep_aspect": True, "vertical_flip": True}]
)
def test_all_ports_of_a_pair_get_the_same_geometry(options):
    transform = TrainingTransform(Augmentation(load_px=50, crop_px=32, **options), PAIR, seed=1)
    picture = np.ascontiguousarray(skimage.data.astronaut()[:300, :400])
    labels = np.repeat(np.repeat(np.arange(12).reshape(3, 4) % 7, 100, 0), 100, 1).astype(np.uint8)
    shapes = {"a": picture, "a2": labels, "b": picture.copy(), "b2": np.ascontiguousarray(picture[..., :1])}
    for index in range(8):
        placed = transform(shapes, epoch=0, index=index)
        np.testing.assert_array_equal(placed["a"], placed["b"])
        np.testing.assert_array_equal(placed["a"][..., :1], placed["b2"])
        assert placed["a2"].shape == (32, 32)
        assert placed["a2"].dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
@pytest.mark.parametrize("rotate_degrees", [0.0, 40.0])
def test_label_maps_keep_their_classes_and_follow_the_picture(dtype, rotate_degrees):
    ports = {"a": ports_of(("rgb", "labels:300"), "a")}
    config = Augmentation(load_px=96, crop_px=64, rotate_degrees=rotate_degrees)
    transform = TrainingTransform(config, ports, seed=2)
    classes = np.zeros((192, 192), dtype)
    classes[48:144, 48:144] = 200 if dtype == np.uint8 else 299
    picture = np.repeat((classes > 0).astype(np.uint8)[..., None] * 255, 3, axis=2)
    for index in range(6):
        placed = transform({"a": picture, "a2": classes}, epoch=3, index=index)
        assert set(np.unique(placed["a2"])) <= {0, classes.max()}
        disagree = (placed["a"][..., 0] > 127) != (placed["a2"] > 0)
        assert disagree.mean() < 0.02  # pixels on the edge alone


def test_turning_mirrors_the_picture_at_its_border_instead_of_inventing_a_colour():
    transform = TrainingTransform(Augmentation(load_px=64, crop_px=64, rotate_degrees=45), A, seed=0)
    white = np.full((64, 64, 3), 255, np.uint8)
    for index in range(10):
        assert transform({"a": white}, epoch=0, index=index)["a"].min() == 255


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colour_changes_one_domain_alone_and_never_the_opacity(channels):
    kind = {1: "grey", 3: "rgb", 4: "rgba"}[channels]
    ports = {"a": ports_of((kind, "labels:256"), "a"), "b": ports_of((kind,), "b")}
    jitter = ColourJitter(brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2)
    plain = TrainingTransform(Augmentation(load_px=20, crop_px=16), ports, seed=4)
    coloured = TrainingTransform(Augmentation(load_px=20, crop_px=16, colour_a=jitter), ports, seed=4)
    picture = np.random.default_rng(0).integers(0, 256, (20, 20, channels), dtype=np.uint8)
    pictures = {"a": picture, "a2": np.ascontiguousarray(picture[..., 0]), "b": picture}
    before, after = (transform(pictures, epoch=0, index=9) for transform in (plain, coloured))
    assert after["a"].shape == (16, 16, channels)
    assert (before["a"][..., :3] != after["a"][..., :3]).mean() > 0.3
    np.testing.assert_array_equal(before["a"][..., 3:], after["a"][..., 3:])
    np.testing.assert_array_equal(before["a2"], after["a2"])
    np.testing.assert_array_equal(before["b"], after["b"])


def test_brightness_is_a_factor_from_the_stated_range():
    config = Augmentation(load_px=8, crop_px=8, colour_a=ColourJitter(brightness=0.3))
    transform = TrainingTransform(config, A, seed=0)
    grey = np.full((8, 8, 3), 100, np.uint8)
    values = [int(transform({"a": grey}, epoch=0, index=index)["a"][0, 0, 0]) for index in range(200)]
    assert 69 <= min(values) < 75
    assert 125 < max(values) <= 130


@pytest.mark.parametrize(
    "config",
    [
        Augmentation(load_px=128, crop_px=64),
        Augmentation(load_px=65, crop_px=64, flip=False, rotate_degrees=30),
        Augmentation(load_px=80, crop_px=64, flip=False, scale_jitter=0.1),
        Augmentation(load_px=64, crop_px=64, flip=False, colour_a=ColourJitter(hue=0.2, contrast=0.3)),
    ],
)
def test_a_draw_depends_on_seed_epoch_index_and_nothing_else(config):
    picture = skimage.data.astronaut()

    def draw(seed, epoch, index, before=0):
        transform = TrainingTransform(config, A, seed=seed)
        for earlier in range(before):
            transform({"a": picture}, epoch=0, index=earlier)
        return transform({"a": picture}, epoch=epoch, index=index)["a"]

    np.testing.assert_array_equal(draw(1, 2, 3), draw(1, 2, 3, before=4))
    for other in [(0, 2, 3), (1, 1, 3), (1, 2, 4), (1, 3, 2)]:
        assert (draw(1, 2, 3) != draw(*other)).any()


def test_the_scale_is_drawn_within_its_range_and_never_below_the_crop():
    transform = TrainingTransform(Augmentation(load_px=40, crop_px=36, flip=False, scale_jitter=0.5), A, seed=5)
    ramp = np.repeat(np.linspace(0, 250, 200).astype(np.uint8)[None, :, None], 200, 0).repeat(3, 2)
    steps = [
        np.diff(transform({"a": ramp}, epoch=0, index=index)["a"][16, :, 0].astype(float)).mean() for index in range(60)
    ]
    sizes = 250 / np.array(steps)
    assert 35 < sizes.min() < 38  # 40 x 0.5 would be 20
    assert 56 < sizes.max() < 64  # 40 x 1.5 is 60


def test_shrinking_averages_and_growing_interpolates_each_side_by_itself():
    stripes = np.zeros((64, 16, 3), np.uint8)
    stripes[::2] = 255
    resized = EvaluationTransform(Augmentation(load_px=32, crop_px=32), A)({"a": stripes})["a"]
    assert resized.shape == (32, 32, 3)
    assert np.abs(resized.astype(int) - 127).max() <= 1


def test_evaluation_has_no_chance_and_keeps_the_shape_only_if_asked():
    picture = coordinates(100, 200)
    squeezed = EvaluationTransform(Augmentation(load_px=60, crop_px=50), A)
    kept = EvaluationTransform(Augmentation(load_px=60, crop_px=50, keep_aspect=True), A)
    first, second = (squeezed({"a": picture}, epoch=epoch, index=epoch)["a"] for epoch in (0, 7))
    np.testing.assert_array_equal(first, second)
    expected = cv2.resize(picture, (50, 50), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(first, expected)
    columns = kept({"a": picture})["a"][0, :, 1].astype(int)
    assert columns[0] in (50, 51)  # 100 columns wide after the resize, 25 cut away on each side: 2 x 25 + 0.5
    assert columns[-1] in (148, 149)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"load_px": 100, "crop_px": 128}, "--augmentation.load-px is 100: choose at least 128 pixels"),
        ({"crop_px": 0, "load_px": 0}, "--augmentation.crop-px is 0: "),
        ({"rotate_degrees": -1.0}, "--augmentation.rotate-degrees is -1.0: "),
        ({"scale_jitter": 1.0}, "--augmentation.scale-jitter is 1.0: "),
    ],
)
def test_impossible_options_are_refused_by_name(options, word):
    with pytest.raises(ConfigurationError, match=word):
        Augmentation(**options)


def test_impossible_colours_are_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"--AUGMENTATION.colour-DOMAIN.hue is 0\.6: "):
        ColourJitter(hue=0.6)
    with pytest.raises(ConfigurationError, match=r"--AUGMENTATION.colour-DOMAIN.brightness is -0\.1: "):
        ColourJitter(brightness=-0.1)


def test_importing_asks_no_server():
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "import translate.data.augmentation\n"
        "assert 'albumentations.check_version' in sys.modules\n"
    )
    environment = {"PATH": "", "NO_ALBUMENTATIONS_UPDATE": "0"}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def batch(count=6, size=16):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 4, (count, size, size), generator=generator)
    picture = torch.rand((count, 3, size, size), generator=generator) * 2 - 1
    one_hot = torch.nn.functional.one_hot(labels, 4).permute(0, 3, 1, 2).float() * 2 - 1
    return {"a": torch.cat([picture, one_hot], 1), "b": picture.clone()}


DEVICE_DOMAINS = {
    "a": (Picture(name="a"), LabelMap(name="a2", classes=4)),
    "b": (Picture(name="b"),),
}
EVERYTHING = DeviceAugmentation(
    flip=True,
    vertical_flip=True,
    rotate_degrees=40,
    scale=0.2,
    colour_b=ColourJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
)


def test_the_device_changes_nothing_by_default():
    tensors = batch()
    changed = DeviceAugmenter(DeviceAugmentation(), DEVICE_DOMAINS, seed=0, paired=True)(tensors, position=0)
    assert all(torch.equal(changed[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("config", [DeviceAugmentation(flip=True), DeviceAugmentation(rotate_degrees=30, scale=0.1)])
def test_the_device_treats_both_halves_of_a_pair_alike(config):
    tensors = batch()
    changed = DeviceAugmenter(config, DEVICE_DOMAINS, seed=0, paired=True)(tensors, position=0)
    assert torch.equal(changed["a"][:, :3], changed["b"])
    assert not torch.equal(changed["b"], tensors["b"])
    apart = DeviceAugmenter(config, DEVICE_DOMAINS, seed=0, paired=False)(tensors, position=0)
    assert not torch.equal(apart["a"][:, :3], apart["b"])


def test_device_flips_are_exact_and_fair():
    tensors = {"b": batch(200, 4)["b"]}
    augmenter = DeviceAugmenter(DeviceAugmentation(flip=True), {"b": DEVICE_DOMAINS["b"]}, seed=0, paired=False)
    changed = augmenter(tensors, position=0)["b"]
    flipped = [torch.equal(new, old.flip(2)) for new, old in zip(changed, tensors["b"], strict=True)]
    kept = [torch.equal(new, old) for new, old in zip(changed, tensors["b"], strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 70 < sum(flipped) < 130


def test_device_labels_stay_one_hot_and_numbers_in_range():
    changed = DeviceAugmenter(EVERYTHING, DEVICE_DOMAINS, seed=0, paired=True)(batch(), position=0)
    labels = changed["a"][:, 3:]
    assert set(labels.unique().tolist()) == {-1.0, 1.0}
    assert (labels.sum(1) == -2).all()
    assert changed["b"].abs().max() <= 1


def test_device_draws_do_not_depend_on_the_batch_size_nor_on_torchs_random_state():
    augmenter = DeviceAugmenter(EVERYTHING, DEVICE_DOMAINS, seed=3, paired=True)
    tensors = batch()
    state = torch.get_rng_state()
    whole = augmenter(tensors, position=10)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    halves = [
        augmenter({name: tensor[start : start + 3] for name, tensor in tensors.items()}, position=10 + start)
        for start in (0, 3)
    ]
    for name in tensors:
        torch.testing.assert_close(whole[name], torch.cat([half[name] for half in halves]), rtol=0, atol=1e-6)
    assert not torch.equal(whole["b"], augmenter(tensors, position=11)["b"])


def test_device_rotation_turns_about_the_middle_and_scale_enlarges():
    picture = torch.rand((1, 3, 9, 9), generator=torch.Generator().manual_seed(0)) * 2 - 1
    still = torch.zeros(1, dtype=torch.bool)

    def turned(degrees, factor):
        draw = {"degrees": torch.tensor([degrees]), "factor": torch.tensor([factor])}
        return _turn(picture, _Placement(flip=still, vertical_flip=still, **draw), "bilinear")

    torch.testing.assert_close(turned(90.0, 1.0), torch.rot90(picture, 1, (2, 3)), rtol=0, atol=1e-5)
    torch.testing.assert_close(turned(0.0, 2.0)[..., ::2, ::2], picture[..., 2:7, 2:7], rtol=0, atol=1e-5)
