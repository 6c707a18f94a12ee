"""What discriminators see: against slices, kornia's own operations, Zhao's strengths and Karras's rule."""

import kornia
import numpy as np
import pytest
import torch
from scipy.stats import binom, kstest

from translate.errors import ConfigurationError
from translate.method import Progress
from translate.networks.diffaugment import augmented, brightened, contrasted, cut, saturated, shifted
from translate.networks.seen import CALLS_BEFORE_MOVING, Seen, SeenConfig
from translate.ramp import Ramp, constantly

START, MIDDLE, END = (Progress(images=images, total_images=100) for images in (0, 50, 100))
PICTURE = (3, 16, 12)
EVERYTHING = ("colour", "translation", "cutout")


def pictures(count=4, shape=PICTURE, seed=0):
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed)) * 1.6 - 0.8


def test_brightness_is_kornias_without_its_clamp():
    by = torch.tensor([0.5, -0.5, 0.1, 0.0])
    expected = kornia.enhance.adjust_brightness(pictures(), by, clip_output=False)
    torch.testing.assert_close(brightened(pictures(), by), expected)


def test_contrast_is_kornias_where_that_does_not_clamp():
    grey = pictures(shape=(1, 16, 12)) / 8 + 0.5  # kornia takes [0, 1]
    factor = torch.tensor([1.5, 0.5, 1.0, 0.9])
    expected = kornia.enhance.adjust_contrast_with_mean_subtraction(grey, factor)
    torch.testing.assert_close(contrasted(grey, factor), expected)


def test_saturation_moves_pixels_between_grey_and_twice_their_colour():
    x, factor = pictures(), torch.tensor([0.0, 1.0, 2.0, 0.5])
    grey = x.numpy().mean(1, keepdims=True)
    expected = grey + (x.numpy() - grey) * factor.numpy().reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(saturated(x, factor).numpy(), expected, atol=1e-6)
    torch.testing.assert_close(saturated(x, torch.ones(4)), x)


def test_a_shift_is_a_slice_with_grey_behind_it():
    x = pictures()
    moved = shifted(x, torch.tensor([[2.0, 0.0], [0.0, -3.0], [-1.0, 1.0], [0.0, 0.0]]))
    expected = torch.zeros_like(x)
    expected[0, :, :, 2:] = x[0, :, :, :-2]
    expected[1, :, :-3] = x[1, :, 3:]
    expected[2, :, 1:, :-1] = x[2, :, :-1, 1:]
    expected[3] = x[3]
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)


def test_a_cut_is_kornias_box():
    x = pictures()
    left_top, size = torch.tensor([[1, 2], [0, 0], [5, 10], [3, 4]]), torch.tensor([[6, 8], [12, 16], [4, 3], [0, 0]])
    boxes = kornia.geometry.bbox.bbox_generator(*left_top[:3].T, *size[:3].T)
    inside = kornia.geometry.bbox.bbox_to_mask(boxes, 12, 16)[:, None]
    torch.testing.assert_close(cut(x, left_top, size)[:3], x[:3] * (1 - inside))
    torch.testing.assert_close(cut(x, left_top, size)[3], x[3])


def test_a_cut_may_stick_out():
    hole = cut(torch.ones(1, 1, 4, 4), torch.tensor([[-1, 3]]), torch.tensor([[2, 2]]))[0, 0]
    assert hole.tolist() == [[1, 1, 1, 1]] * 3 + [[0, 1, 1, 1]]


@pytest.mark.parametrize("change", EVERYTHING)
@pytest.mark.parametrize("shape", [PICTURE, (1, 16, 12), (4, 9, 7)])
def test_probability_0_changes_nothing_and_1_everything(change, shape):
    torch.manual_seed(0)
    x = pictures(200, shape)
    torch.testing.assert_close(augmented(x, (change,), 0.0), x, rtol=0, atol=1e-5)
    changed = ((augmented(x, (change,), 1.0) - x).abs() > 1e-4).flatten(1).any(1)
    assert changed.float().mean() > 0.8  # one shift in nine of the smallest is none


@pytest.mark.parametrize("change", ["translation", "cutout"])
def test_each_picture_is_changed_with_the_probability(change):
    torch.manual_seed(0)
    x = torch.ones(4000, 1, 32, 32)
    share = ((augmented(x, (change,), torch.tensor(0.3)) - x).abs() > 1e-4).flatten(1).any(1).sum().item()
    chance = 0.3 * (1 - 1 / 81 if change == "translation" else 1)
    low, high = binom.interval(0.9999, 4000, chance)
    assert low <= share <= high


def test_brightness_and_contrast_are_drawn_as_zhao_draws_them():
    torch.manual_seed(0)
    x = torch.cat([torch.zeros(1, 1, 2), torch.ones(1, 1, 2)], dim=1).expand(3000, 1, 2, 2)
    out = augmented(x, ("colour",), 1.0)[:, 0]
    contrast, brightness = (out[:, 1] - out[:, 0])[:, 0], out.mean((1, 2)) - 0.5
    assert kstest(contrast.numpy(), "uniform", (0.5, 1.0)).pvalue > 1e-4
    assert kstest(brightness.numpy(), "uniform", (-0.5, 1.0)).pvalue > 1e-4
    assert kstest(brightness.numpy(), "uniform", (-0.6, 1.2)).pvalue < 1e-4  # control


def test_saturation_is_drawn_as_zhao_draws_it():
    """Of two pixels, one has colour and no brightness, the other brightness (1) and no colour."""
    torch.manual_seed(0)
    x = torch.tensor([[0.5, 1.0], [0.0, 1.0], [-0.5, 1.0]]).view(1, 3, 1, 2).expand(3000, 3, 1, 2)
    out = augmented(x, ("colour",), 1.0)[:, :, 0]
    grey = out.mean(1)
    saturation = (out[:, 0, 0] - out[:, 2, 0]) / (grey[:, 1] - grey[:, 0])
    assert kstest(saturation.numpy(), "uniform", (0.0, 2.0)).pvalue > 1e-4


def test_shifts_are_of_up_to_an_eighth_and_holes_of_half_the_sides():
    torch.manual_seed(0)
    x = torch.zeros(2000, 1, 16, 32)
    x[:, :, 8, 16] = 1
    rows, columns = augmented(x, ("translation",), 1.0)[:, 0].flatten(1).argmax(1).numpy().__divmod__(32)
    assert sorted(set(rows - 8)) == list(range(-2, 3))
    assert sorted(set(columns - 16)) == list(range(-4, 5))
    holes = (augmented(torch.ones(2000, 1, 16, 32), ("cutout",), 1.0) == 0)[:, 0]
    heights, widths = holes.any(2).sum(1), holes.any(1).sum(1)
    assert (heights.min(), heights.max(), widths.min(), widths.max()) == (4, 8, 8, 16)


def test_opacity_keeps_its_colour():
    torch.manual_seed(0)
    x = pictures(20, (4, 8, 8))
    out = augmented(x, ("colour",), 1.0)
    assert torch.equal(out[:, 3], x[:, 3])
    assert not torch.equal(out[:, :3], x[:, :3])


@pytest.mark.parametrize("change", EVERYTHING)
def test_gradients_flow_through_every_change(change):
    x = pictures(2, (3, 9, 8)).double().requires_grad_()

    def fixed(x):
        torch.manual_seed(0)
        return augmented(x, (change,), 1.0)

    assert torch.autograd.gradcheck(fixed, x)


def test_bright_pictures_are_not_clamped():
    """Kornia's own operations clamp, and a clamped pixel teaches nothing."""
    bright = torch.ones(50, *PICTURE, requires_grad=True)
    torch.manual_seed(0)
    augmented(bright, ("colour",), 1.0).square().sum().backward()
    clamped = torch.ones(50, *PICTURE, requires_grad=True)
    kornia.enhance.adjust_brightness(clamped, 0.5).square().sum().backward()
    assert (bright.grad.abs().flatten(1).sum(1) > 0).all()
    assert (clamped.grad == 0).all()


def test_by_default_samples_pass_unchanged_and_nothing_is_drawn():
    seen, x = SeenConfig().build(PICTURE), pictures()
    before = torch.get_rng_state()
    assert seen(x, MIDDLE) is x
    assert torch.equal(torch.get_rng_state(), before)
    assert not list(seen.parameters())
    assert not seen.state_dict()


@pytest.mark.parametrize("shape", [(5, 2), (5, 3, 8, 8)])
def test_instance_noise_falls_to_nothing(shape):
    torch.manual_seed(0)
    seen = SeenConfig(noise=Ramp(start=0.4, end=0.0, shape="linear")).build(shape[1:])
    x = torch.zeros(20_000 // shape[1], *shape[1:])
    assert seen(x, START).std().item() == pytest.approx(0.4, rel=0.03)
    assert seen(x, MIDDLE).std().item() == pytest.approx(0.2, rel=0.03)
    assert seen(x, END) is x


def test_each_call_draws_anew():
    torch.manual_seed(0)
    seen = SeenConfig(noise=constantly(0.1), augment=EVERYTHING).build(PICTURE)
    assert not torch.equal(seen(pictures(), START), seen(pictures(), START))


def test_the_probability_follows_its_ramp():
    torch.manual_seed(0)
    seen = SeenConfig(augment=("cutout",), probability=Ramp(start=0.0, end=1.0)).build((1, 8, 8))
    x = torch.ones(500, 1, 8, 8)
    shares = [(seen(x, progress) == 0).flatten(1).any(1).float().mean().item() for progress in (START, MIDDLE, END)]
    assert shares[0] == 0
    assert shares[1] == pytest.approx(0.5, abs=0.1)
    assert shares[2] == 1


def test_halves_come_out_in_float32():
    seen = SeenConfig(noise=constantly(0.1), augment=EVERYTHING).build(PICTURE)
    with torch.autocast("cpu", torch.bfloat16):
        assert seen(pictures().bfloat16(), START).dtype == torch.float32


def adaptive(**changes):
    return SeenConfig(augment=("cutout",), adaptive=True, adaptive_images=1000, **changes).build(PICTURE)


def told(seen, scores, times=CALLS_BEFORE_MOVING):
    for _ in range(times):
        seen.adapt(scores)
    return seen.probability.item()


def test_a_sure_discriminator_raises_the_probability_and_an_unsure_one_lowers_it():
    seen = adaptive()
    assert told(seen, torch.full((50,), 3.0)) == pytest.approx(0.2)  # 4 x 50 pictures of 1000
    assert told(seen, torch.full((50,), 0.1)) == pytest.approx(0.4)  # the sign counts, not the size
    unsure = torch.cat([torch.ones(25), -torch.ones(25)])
    assert told(seen, unsure) == pytest.approx(0.2)
    assert told(seen, unsure, times=40) == 0.0
    assert told(seen, torch.ones(50), times=400) == 1.0


def test_the_target_is_a_mean_sign():
    """0.6 is 80 % of the real pictures on the right side."""
    for right, expected in ((79, 0.0), (81, 0.4)):
        scores = torch.cat([torch.ones(right), -torch.ones(100 - right)])
        assert told(adaptive(), scores) == pytest.approx(expected)
    at_target = torch.cat([torch.ones(3), -torch.ones(1)])
    assert told(adaptive(adaptive_target=0.5), at_target) == 0.0


def test_it_moves_by_every_fourth_batch():
    seen = adaptive()
    assert told(seen, torch.ones(50), times=3) == 0
    assert told(seen, torch.ones(50), times=1) > 0


def test_it_is_state_that_is_saved_in_the_middle_of_gathering():
    seen, resumed = adaptive(), adaptive()
    told(seen, torch.ones(50), times=6)
    resumed.load_state_dict(seen.state_dict())
    assert told(seen, torch.ones(50), times=2) == told(resumed, torch.ones(50), times=2) == pytest.approx(0.4)


def test_scores_that_are_not_finite_leave_nothing_behind():
    seen = adaptive()
    before = {name: value.clone() for name, value in seen.state_dict().items()}
    seen.adapt(torch.tensor([1.0, float("nan")]))
    assert all(torch.equal(value, before[name]) for name, value in seen.state_dict().items())


def test_the_adaptive_probability_is_used():
    seen, x = adaptive(), torch.ones(400, *PICTURE)
    assert torch.equal(seen(x, START), x)
    told(seen, torch.ones(50), times=400)
    assert (seen(x, START) == 0).flatten(1).any(1).all()


def test_without_adaptation_scores_are_not_looked_at():
    seen = SeenConfig().build((2,))
    seen.adapt(torch.ones(4))
    assert isinstance(seen, Seen)
    assert not seen.state_dict()


@pytest.mark.parametrize("objective", ["minimax", "non-saturating", "hinge"])
def test_signs_mean_something(objective):
    SeenConfig(augment=EVERYTHING, adaptive=True).require_signs(objective)


@pytest.mark.parametrize("objective", ["relativistic", "wasserstein", "least-squares"])
def test_signs_mean_nothing(objective):
    SeenConfig(augment=EVERYTHING).require_signs(objective)
    with pytest.raises(ConfigurationError, match="no such zero"):
        SeenConfig(augment=EVERYTHING, adaptive=True).require_signs(objective)


def test_vectors_take_noise_and_refuse_changes_of_pictures():
    SeenConfig(noise=constantly(0.1)).build((2,))
    with pytest.raises(ConfigurationError, match="vectors of 2 numbers"):
        SeenConfig(augment=("colour",)).build((2,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": Ramp(start=-0.1, end=0.0)},
        {"probability": Ramp(start=0.0, end=1.2)},
        {"augment": ("rotation",)},
        {"adaptive": True},
        {"adaptive": True, "augment": EVERYTHING, "adaptive_target": 1.0},
        {"adaptive": True, "augment": EVERYTHING, "adaptive_images": 0},
    ],
)
def test_refused_configurations(wrong):
    with pytest.raises(ConfigurationError, match=r"config\.game\.seen"):
        SeenConfig(**wrong)
