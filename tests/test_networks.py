"""The networks against hand-counted weights, measured receptive fields, closed forms and functional rewrites."""

import contextlib
import itertools

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from torch import nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.networks.compact import Compact
from translate.networks.initialise import initialise, initialise_xavier
from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.norm import norm_layer
from translate.networks.patch import PatchDiscriminator, PixelDiscriminator
from translate.networks.resample import Blur, nearest, smooth, transposed
from translate.networks.resnet import ResidualBlock, ResNet
from translate.networks.unet import UNet

NORMS = ["instance", "instance-affine", "batch", "none"]
RESAMPLINGS = ["paper", "blur", "nearest"]
GENERATORS = {
    "unet": lambda **options: UNet(width=2, depth=3, **options),
    "resnet": lambda **options: ResNet(width=2, blocks=2, **options),
}
DISCRIMINATORS = {
    "patch": lambda **options: PatchDiscriminator(width=2, layers=2, **options),
    "patch blur": lambda **options: PatchDiscriminator(width=2, layers=2, resampling="blur", **options),
    "pixel": lambda **options: PixelDiscriminator(width=2, **options),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def weights(network):
    return sum(parameter.numel() for parameter in network.parameters())


# --- how many weights: counted by hand ---


def test_unet_256_has_54_414_million_weights():
    encoder = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 4 * 512 * 512)  # 4 x 4, no bias
    encoder_norms = 2 * (128 + 256 + 4 * 512)  # all but the outermost and the innermost
    decoder = 16 * (512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64)  # inputs double beside a skip
    decoder_norms = 2 * (4 * 512 + 256 + 128 + 64)
    outermost = 16 * 128 * 3 + 3
    by_hand = encoder + encoder_norms + decoder + decoder_norms + outermost
    assert weights(UNet(norm="batch")) == by_hand == 54_413_955


def test_resnet_9_has_11_378_million_weights():
    ends = (49 * 3 * 64 + 64) + (49 * 64 * 3 + 3)  # 7 x 7
    halvings = (9 * 64 * 128 + 128) + (9 * 128 * 256 + 256)
    blocks = 9 * 2 * (9 * 256 * 256 + 256)
    doublings = (9 * 256 * 128 + 128) + (9 * 128 * 64 + 64)
    assert weights(ResNet(norm="instance", blocks=9)) == ends + halvings + blocks + doublings == 11_378_179


@pytest.mark.parametrize(("norm", "inputs", "total"), [("batch", 6, 2_768_705), ("instance", 3, 2_764_737)])
def test_70_px_patchgan_has_2_769_and_2_765_million_weights(norm, inputs, total):
    first, last = 16 * inputs * 64 + 64, 16 * 512 * 1 + 1
    middle = 16 * (64 * 128 + 128 * 256 + 256 * 512)
    # Batch norm: a scale and a shift. Instance norm: none, but a bias in the convolution before it.
    per_channel = {"batch": 2, "instance": 1}[norm] * (128 + 256 + 512)
    assert weights(PatchDiscriminator(inputs=inputs, norm=norm)) == first + middle + per_channel + last == total


def test_pixel_discriminator_weights():
    assert weights(PixelDiscriminator(inputs=6, norm="batch")) == (6 * 64 + 64) + (64 * 128 + 2 * 128) + 128
    assert weights(PixelDiscriminator(inputs=3)) == (3 * 64 + 64) + (64 * 128 + 128) + (128 + 1)


# --- what they compute: the published topology, rewritten with functions alone, weights in the order of state_dict ---


def unet_by_recursion(picture, tensors, depth):
    """Pre-activation, from outside in, as the published code nests it; `tensors` in the order of the state dict."""
    take = iter(tensors)
    downs = [[next(take), *_norm_of(take, 0 < level < depth - 1)] for level in range(depth)]
    ups = [[next(take), *_norm_of(take, level > 0)] for level in reversed(range(depth))][::-1]
    bias = next(take)

    def level(maps, index):
        weight, *norm = downs[index]
        inner = functional.conv2d(functional.leaky_relu(maps, 0.2) if index else maps, weight, stride=2, padding=1)
        inner = functional.batch_norm(inner, None, None, *norm, training=True) if norm else inner
        inner = level(inner, index + 1) if index < depth - 1 else inner
        weight, *norm = ups[index]
        outer = functional.conv_transpose2d(inner.relu(), weight, bias if index == 0 else None, stride=2, padding=1)
        if index == 0:
            return outer.tanh()
        return torch.cat([maps, functional.batch_norm(outer, None, None, *norm, training=True)], dim=1)

    assert next(take, None) is None
    return level(picture, 0)


def _norm_of(take, there):
    if not there:
        return []
    scale, shift, _mean, _variance, _count = (next(take) for _ in range(5))
    return [scale, shift]


def test_unet_computes_the_published_recursion():
    network = UNet(inputs=3, outputs=2, width=2, depth=5)
    initialise(network, std=0.3)
    picture = torch.randn(2, 3, 64, 32)
    expected = unet_by_recursion(picture, network.state_dict().values(), depth=5)
    torch.testing.assert_close(network(picture), expected)


def resnet_by_functions(picture, tensors, blocks):
    take = iter(tensors)

    def same(maps, pad):
        maps = functional.pad(maps, (pad,) * 4, mode="reflect")
        return functional.conv2d(maps, next(take), next(take))

    def halve(maps):
        return functional.conv2d(maps, next(take), next(take), stride=2, padding=1)

    def double(maps):
        return functional.conv_transpose2d(maps, next(take), next(take), stride=2, padding=1, output_padding=1)

    norm = functional.instance_norm
    maps = norm(same(picture, 3)).relu()
    for layer in (halve, halve):
        maps = norm(layer(maps)).relu()
    for _ in range(blocks):
        maps = maps + norm(same(norm(same(maps, 1)).relu(), 1))
    for layer in (double, double):
        maps = norm(layer(maps)).relu()
    return same(maps, 3).tanh()


def test_resnet_computes_the_published_layers():
    network = ResNet(width=2, blocks=3)
    picture = torch.randn(2, 3, 16, 24)
    torch.testing.assert_close(network(picture), resnet_by_functions(picture, network.state_dict().values(), 3))


def test_patchgan_computes_the_published_layers():
    network = PatchDiscriminator(width=2, layers=2)
    kernels = list(network.state_dict().values())
    maps = torch.randn(2, 3, 24, 32)
    expected = functional.leaky_relu(functional.conv2d(maps, *kernels[0:2], stride=2, padding=1), 0.2)
    for index, stride in ((2, 2), (4, 1)):
        expected = functional.conv2d(expected, *kernels[index : index + 2], stride=stride, padding=1)
        expected = functional.leaky_relu(functional.instance_norm(expected), 0.2)
    torch.testing.assert_close(network(maps), functional.conv2d(expected, *kernels[6:8], padding=1))


@pytest.mark.parametrize(("depth", "places"), [(8, [1, 2, 3]), (7, [1, 2]), (6, [1]), (5, []), (3, [])])
def test_unet_dropout_acts_between_levels_of_full_width_but_the_innermost(depth, places):
    stages = UNet(width=1, depth=depth, dropout=0.5).up
    assert [i for i, stage in enumerate(stages) if any(isinstance(m, nn.Dropout) for m in stage)] == places


def test_resnet_dropout_acts_once_in_every_block():
    blocks = ResNet(width=1, blocks=4, dropout=0.5).blocks
    assert [sum(isinstance(m, nn.Dropout) for m in block.modules()) for block in blocks] == [1] * 4


def test_no_dropout_draws_no_random_number():
    for dropout, draws in ((0.0, False), (0.5, True)):
        network = UNet(width=1, depth=6, dropout=dropout)
        before = torch.get_rng_state()
        network(torch.zeros(1, 3, 64, 64))
        assert torch.equal(torch.get_rng_state(), before) is not draws


# --- how far they see ---


def make_positive(network):
    """Every weight positive and every convolution an average: nothing dies, cancels or saturates."""
    network.double()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def seen_rows(network, size, row):
    """First and last row of the input that one output reads, by its gradient."""
    picture = torch.full((1, 1, size, max(16, 2 * getattr(network, "at_least_px", 0))), 1e-6).double().requires_grad_()
    outputs = network(picture)
    gradient = torch.autograd.grad(outputs[0, 0, row, outputs.shape[-1] // 2], picture)[0]
    rows = (gradient != 0).any(dim=-1).flatten().nonzero()
    return int(rows.min()), int(rows.max())


def seen_px(network, size, row):
    first, last = seen_rows(network, size, row)
    return last - first + 1


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_patchgan_receptive_field(layers, field):
    network = make_positive(PatchDiscriminator(inputs=1, width=1, layers=layers, norm="none"))
    size = 3 * field
    assert seen_px(network, size, row=network(torch.zeros(1, 1, size, size).double()).shape[-1] // 2) == field
    assert network.receptive_field_px == field


def test_pixel_discriminator_sees_one_pixel():
    network = make_positive(PixelDiscriminator(inputs=1, width=2, norm="none"))
    assert seen_px(network, 9, row=4) == network.receptive_field_px == 1


def test_blurred_patchgan_receptive_field():
    network = make_positive(PatchDiscriminator(inputs=1, width=1, layers=2, norm="none", resampling="blur"))
    assert seen_px(network, 128, row=15) == network.receptive_field_px


@pytest.mark.parametrize("resampling", RESAMPLINGS)
@pytest.mark.parametrize("blocks", [1, 3])
def test_resnet_receptive_field(resampling, blocks):
    network = make_positive(ResNet(inputs=1, outputs=1, width=1, blocks=blocks, norm="none", resampling=resampling))
    rows = range(80, 84)  # every phase of the two halvings
    seen = [seen_rows(network, 160, row) for row in rows]
    assert max(last - first + 1 for first, last in seen) == network.receptive_field_px
    reach = [max(row - first, last - row) for row, (first, last) in zip(rows, seen, strict=True)]
    assert max(reach) == network.context_px


def test_the_papers_resnet_sees_169_px():
    # 7 x 7, two halvings, 18 convolutions at a quarter of the size, two doublings, 7 x 7.
    assert 7 + 2 * 1 + 2 * 2 + 18 * 2 * 4 + 4 + 2 + 6 == ResNet(width=1).receptive_field_px == 169


def test_unet_sees_everything():
    network = make_positive(UNet(inputs=1, outputs=1, width=1, depth=4, norm="none"))
    assert seen_px(network, 48, row=24) == 48
    assert network.tiling == "forbidden"


@pytest.mark.parametrize(("norm", "exact"), [("none", True), ("batch", True), ("instance", False)])
@pytest.mark.parametrize("resampling", RESAMPLINGS)
def test_resnet_gives_tiles_as_it_gives_the_whole_where_its_tiling_says_exact(norm, exact, resampling):
    network = ResNet(width=2, blocks=1, norm=norm, resampling=resampling).eval()
    initialise(network, std=0.2)
    picture = torch.randn(1, 3, 96, 96)
    margin = 4 * -(-network.context_px // 4)  # up to a multiple of 4
    whole = network(picture)[..., margin:-margin, 40:56]
    tile = network(picture[..., 40 - margin : 56 + margin])[..., margin:-margin, margin:-margin]
    assert (network.tiling == "exact") is exact
    assert torch.allclose(whole, tile, atol=1e-5) is exact


# --- the compact enlarger ---


def test_compact_x4_has_1_21_million_weights():
    # The published SRVGGNetCompact of 32 convolutions, width 64, x 4: 1.21 M.
    convolutions = (9 * 3 * 64 + 64) + 32 * (9 * 64 * 64 + 64) + (9 * 64 * 48 + 48)
    assert weights(Compact(convolutions=32, scale=4)) == convolutions + 33 * 64 == 1_213_296


def test_compact_with_an_idle_body_repeats_every_pixel():
    network = Compact(width=2, convolutions=1, scale=3)
    for parameter in network.body[-1].parameters():
        nn.init.zeros_(parameter)
    picture = torch.randn(2, 3, 5, 7)
    assert torch.equal(network(picture), picture.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3))


def test_compact_puts_each_channel_of_a_group_in_its_place():
    network = Compact(channels=1, width=4, convolutions=0, scale=2)
    picture = torch.zeros(1, 1, 1, 1)
    with torch.no_grad():
        network.body[-1].weight.zero_()
        network.body[-1].bias.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert network(picture).tolist() == [[[[1.0, 2.0], [3.0, 4.0]]]]


@pytest.mark.parametrize("convolutions", [0, 3])
def test_compact_sees_its_context(convolutions):
    network = make_positive(Compact(channels=1, width=1, convolutions=convolutions, scale=1))
    first, last = seen_rows(network, 33, 16)
    assert 16 - first == last - 16 == network.context_px


# --- sizes ---


@pytest.mark.parametrize(("name", "norm", "resampling"), list(itertools.product(GENERATORS, NORMS, RESAMPLINGS)))
def test_every_generator_trains_at_its_least_size_and_at_multiples(name, norm, resampling):
    network = GENERATORS[name](norm=norm, resampling=resampling, dropout=0.5)
    least, step = network.size_rule.at_least_px, network.size_rule.multiple_of_px
    for height, width in ((least, least), (least + step, least + 3 * step)):
        picture = torch.rand(1, 3, height, width) * 2 - 1
        translated = network(picture)
        assert translated.shape == picture.shape
        assert translated.abs().max() <= 1
        translated.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.eval()(torch.zeros(1, 3, least, least)).isfinite().all()


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_fails_under_its_least_size_and_off_its_multiple(name):
    network = GENERATORS[name]()
    least, step = network.size_rule.at_least_px, network.size_rule.multiple_of_px
    with pytest.raises((RuntimeError, ValueError)):
        network(torch.zeros(1, 3, least // 2, least // 2))
    off = torch.zeros(1, 3, least + step - 1, least + step - 1)
    with contextlib.suppress(RuntimeError):
        assert network(off).shape != off.shape


@pytest.mark.parametrize("depth", [2, 6, 7, 8])
def test_unet_size_rule_is_the_power_of_two(depth):
    rule = UNet(width=1, depth=depth).size_rule
    assert rule.multiple_of_px == rule.at_least_px == 2**depth


@pytest.mark.parametrize(("name", "norm"), list(itertools.product(DISCRIMINATORS, NORMS)))
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_every_discriminator_trains_at_its_least_size(name, norm, spectral_norm):
    network = DISCRIMINATORS[name](norm=norm, spectral_norm=spectral_norm)
    least = network.at_least_px
    network(torch.randn(2, 3, least, least + 5)).square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    if name != "pixel":
        with pytest.raises((RuntimeError, ValueError)):
            network(torch.randn(2, 3, least - 1, least - 1))


# --- discriminators' features and scales ---


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_features_end_with_the_scores(name):
    network = DISCRIMINATORS[name](norm="instance")
    pictures = torch.randn(2, 3, 32, 32)
    *features, scores = network.features(pictures)
    assert torch.equal(scores, network(pictures))
    assert len(features) == (2 if name == "pixel" else 3)
    assert [maps.shape[1] for maps in features] == [2, 4, 8][: len(features)]


def test_multiscale_gives_finest_first_on_averages():
    network = MultiScaleDiscriminator(discriminators=[PixelDiscriminator(width=2, norm="none") for _ in range(3)])
    ramp = torch.arange(32.0).expand(1, 3, 32, 32) / 32
    scores = network(ramp)
    assert [level.shape[-1] for level in scores] == [32, 16, 8]
    for scale, level in enumerate(scores):
        # The average of a ramp about a pixel is that pixel.
        interior = slice(4, -4) if scale < 2 else slice(2, -2)
        expected = network.scales[scale](ramp[..., :: 2**scale, :: 2**scale])
        torch.testing.assert_close(level[..., interior], expected[..., interior])
    assert all(torch.equal(f[-1], s) for f, s in zip(network.features(ramp), scores, strict=True))


def test_multiscale_keeps_a_constant_picture_constant():
    network = MultiScaleDiscriminator(discriminators=[PixelDiscriminator(width=2, norm="none") for _ in range(2)])
    coarse = network(torch.full((1, 3, 9, 9), 0.7))[1]
    torch.testing.assert_close(coarse, coarse[..., :1, :1].expand_as(coarse))


def test_multiscale_needs_the_size_of_its_coarsest():
    network = MultiScaleDiscriminator(discriminators=[PatchDiscriminator(width=1, layers=2) for _ in range(2)])
    assert network.at_least_px == 24
    network(torch.randn(1, 3, 24, 24))
    with pytest.raises((RuntimeError, ValueError)):
        network(torch.randn(1, 3, 22, 22))


# --- norm ---


def test_batch_norm_in_training_at_batch_size_1_is_affine_instance_norm():
    batch, instance = norm_layer("batch", 5), norm_layer("instance-affine", 5).eval()
    initialise(batch, std=1.0)
    instance.load_state_dict({name: batch.state_dict()[name] for name in ("weight", "bias")})
    maps = torch.randn(1, 5, 7, 9) * 3 + 2
    assert (batch(maps) - instance(maps)).abs().max() == 0


@pytest.mark.parametrize("name", GENERATORS)
def test_a_whole_network_trained_at_batch_size_1_serves_with_instance_norm(name):
    trained, served = GENERATORS[name](norm="batch"), GENERATORS[name](norm="instance-affine").eval()
    initialise(trained, std=0.2)
    missing = served.load_state_dict(trained.state_dict(), strict=False)
    assert not missing.missing_keys
    assert all(key.rsplit(".")[-1] in {"running_mean", "running_var", "num_batches_tracked"} for key in missing[1])
    picture = torch.randn(1, 3, 16, 24)
    assert (trained(picture) - served(picture)).abs().max() == 0


@pytest.mark.parametrize("draw", [initialise, initialise_xavier])
def test_spectral_norm_brings_the_largest_singular_value_to_1(draw):
    network = PatchDiscriminator(width=4, layers=2, spectral_norm=True)
    draw(network, 7.0)
    plain = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(plain) == 4
    for layer in plain:
        with torch.no_grad():
            assert layer.parametrizations.weight.original.flatten(1).norm() > 3
            assert float(torch.linalg.svdvals(layer.weight.flatten(1))[0]) == pytest.approx(1, abs=0.1)
    for _ in range(100):
        network(torch.randn(1, 3, 16, 16))
    for layer in plain:
        with torch.no_grad():
            assert float(torch.linalg.svdvals(layer.weight.flatten(1))[0]) == pytest.approx(1, abs=1e-3)


# --- resampling ---


@pytest.mark.parametrize(("taps", "line"), [(3, [1, 2, 1]), (4, [1, 3, 3, 1])])
@pytest.mark.parametrize("size", [2, 8, 12])
def test_blur_is_the_binomial_filter_of_scipy(taps, line, size):
    maps = torch.randn(1, 2, size, size)
    filtered = maps.numpy()
    for axis in (2, 3):
        # scipy takes the later middle of an even filter for its centre; ours starts at 2 i - 1 in either case.
        filtered = correlate1d(filtered, np.array(line) / sum(line), axis=axis, mode="mirror", origin=3 - taps)
    np.testing.assert_allclose(Blur(channels=2, taps=taps)(maps), filtered[..., ::2, ::2], atol=1e-6)


@pytest.mark.parametrize("taps", [3, 4])
def test_blur_keeps_a_constant_picture_constant(taps):
    maps = torch.full((1, 3, 10, 6), 0.3)
    torch.testing.assert_close(Blur(channels=3, taps=taps)(maps), torch.full((1, 3, 5, 3), 0.3))


def test_smooth_enlargement_is_1331_with_replicated_borders():
    maps = torch.randn(1, 2, 5, 7)
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    kernel = torch.outer(line, line).expand(2, 1, 4, 4)
    padded = functional.pad(maps, (1, 1, 1, 1), mode="replicate")
    expected = functional.conv_transpose2d(padded, kernel, stride=2, padding=3, groups=2)
    torch.testing.assert_close(smooth().build(2, 2, True)[0](maps), expected)


@pytest.mark.parametrize(
    ("doubling", "even"), [(transposed(kernel=3), False), (smooth(), True), (nearest(), True)], ids=str
)
def test_only_the_papers_doubling_prints_a_checkerboard(doubling, even):
    layer = make_positive(doubling.build(1, 1, False))
    inside = layer(torch.ones(1, 1, 8, 8).double())[..., 2:-2, 2:-2]
    assert bool(inside.std() < 1e-6) is even


@torch.no_grad()
def shift_error(network, picture):
    """How much a picture that moves by one pixel changes its translation, relative to the translation's contrast."""
    inner = (..., slice(24, -24), slice(24, -24))
    moved = network(picture.roll(1, dims=-1))[inner]
    expected = network(picture).roll(1, dims=-1)[inner]
    return float((moved - expected).square().mean().sqrt() / expected.std())


@pytest.mark.parametrize("name", GENERATORS)
def test_blur_follows_a_shift_of_one_pixel_better_than_the_paper(name):
    picture = torch.randn(4, 3, 96, 96)
    errors = {}
    for resampling in ("paper", "blur"):
        network = GENERATORS[name](norm="instance", resampling=resampling).eval()
        initialise(network, std=0.2)
        errors[resampling] = shift_error(network, picture)
    assert errors["blur"] < 0.7 * errors["paper"], errors


def test_the_pixel_discriminator_follows_every_shift():
    network = PixelDiscriminator(width=4)
    picture = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(network(picture.roll(1, dims=-1)), network(picture).roll(1, dims=-1))


def test_a_residual_block_follows_every_shift_inside():
    block = ResidualBlock(channels=3, norm="none")
    maps = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(block(maps[..., 1:])[..., 3:-3], block(maps)[..., 4:-3])


def test_the_patch_discriminator_follows_shifts_by_its_stride():
    network = PatchDiscriminator(width=2, layers=2, norm="none")
    picture = torch.randn(1, 3, 96, 96)
    here, moved = network(picture), network(picture.roll(4, dims=-1))
    torch.testing.assert_close(moved[..., 8:-8], here.roll(1, dims=-1)[..., 8:-8])
    assert not torch.allclose(network(picture.roll(1, dims=-1)), here, atol=1e-3)


# --- how they run ---

EVERY = [
    (name, resampling, lambda n=name, r=resampling: GENERATORS[n](norm="instance", resampling=r))
    for name, resampling in itertools.product(GENERATORS, RESAMPLINGS)
] + [
    (name, f"spectral {spectral}", lambda n=name, s=spectral: DISCRIMINATORS[n](spectral_norm=s))
    for name, spectral in itertools.product(DISCRIMINATORS, (False, True))
]
every_network = pytest.mark.parametrize("build", [e[2] for e in EVERY], ids=[f"{e[0]}-{e[1]}" for e in EVERY])


@every_network
def test_bf16_autocast_agrees_with_fp32(build):
    network = build()
    pictures = torch.rand(2, 3, 32, 32) * 2 - 1
    expected = network.eval()(pictures)
    network.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = network.eval()(pictures)
        network.train()(pictures).float().square().mean().backward()
    assert result.dtype == torch.bfloat16
    assert (result - expected).abs().max() < 0.05 * max(1.0, float(expected.detach().abs().max()))
    assert all(p.dtype == p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in network.parameters())


@every_network
def test_channels_last_agrees(build):
    network = build().eval()
    pictures = torch.randn(2, 3, 32, 32)
    expected = network(pictures)
    result = network.to(memory_format=torch.channels_last)(pictures.to(memory_format=torch.channels_last))
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-4)


@every_network
def test_is_captured_in_one_graph(build):
    network = build()
    pictures = torch.randn(1, 3, 32, 32)
    network.eval()
    captured = torch.compile(network, backend="eager", fullgraph=True)
    torch.testing.assert_close(captured(pictures), network(pictures))


def test_the_features_of_all_scales_are_captured_in_one_graph():
    network = MultiScaleDiscriminator(discriminators=[PatchDiscriminator(width=2, layers=1) for _ in range(2)])
    pictures = torch.randn(1, 3, 32, 32)
    captured = torch.compile(network.features, backend="eager", fullgraph=True)
    torch.testing.assert_close(captured(pictures), network.features(pictures))


def test_spectral_norm_may_be_run_twice_before_backward():
    network = PatchDiscriminator(width=2, layers=2, spectral_norm=True)
    real, fake = network(torch.randn(1, 3, 16, 16)), network(torch.randn(1, 3, 16, 16))
    (real.mean() - fake.mean()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("norm", NORMS)
def test_gradient_penalties_can_differentiate_twice(norm):
    network = PatchDiscriminator(width=2, layers=2, norm=norm, resampling="blur")
    pictures = torch.randn(2, 3, 24, 24, requires_grad=True)
    gradient = torch.autograd.grad(network(pictures).sum(), pictures, create_graph=True)[0]
    gradient.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)


# --- first weights and refusals ---


@torch.no_grad()
def test_initialise_draws_what_the_papers_draw():
    network = UNet(width=32, depth=5, norm="batch")
    initialise(network)
    kernels = torch.cat(
        [m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    )
    scales = torch.cat([m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert float(kernels.mean()) == pytest.approx(0, abs=1e-4)
    assert float(kernels.std()) == pytest.approx(0.02, rel=0.01)
    assert float(scales.mean()) == pytest.approx(1, abs=0.005)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.2)
    assert all((p == 0).all() for name, p in network.named_parameters() if name.endswith("bias"))


@torch.no_grad()
def test_initialise_xavier_is_glorots_formula():
    layer = nn.Conv2d(64, 128, 4)
    initialise_xavier(layer, gain=0.5)
    assert float(layer.weight.std()) == pytest.approx(0.5 * (2 / (16 * (64 + 128))) ** 0.5, rel=0.02)


@pytest.mark.parametrize("draw", [initialise, initialise_xavier])
def test_initialise_repeats_with_a_generator(draw):
    networks = [ResNet(width=2, blocks=1, norm="instance-affine") for _ in range(2)]
    for network in networks:
        draw(network, generator=torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True))


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: UNet(width=1, norm="layer"), "instance-affine"),
        (lambda: UNet(width=1, resampling="cubic"), "nearest"),
        (lambda: ResNet(width=1, resampling="cubic"), "nearest"),
        (lambda: PatchDiscriminator(width=1, resampling="nearest"), "blur"),
        (lambda: UNet(width=1, depth=1), "depth"),
        (lambda: ResNet(width=1, blocks=0), "blocks"),
        (lambda: PatchDiscriminator(width=1, layers=0), "layers"),
        (lambda: MultiScaleDiscriminator(discriminators=[]), "discriminators"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_choices(build, word):
    with pytest.raises(ConfigurationError, match=word):
        build()
