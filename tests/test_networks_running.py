"""The networks at every size that their rules allow, and in every way that they are run."""

import contextlib
import itertools

import pytest
import torch
from small_networks import DISCRIMINATORS, GENERATORS, NORMS, RESAMPLINGS

from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.patch import PatchDiscriminator
from translate.networks.unet import UNet

pytestmark = pytest.mark.usefixtures("seeded")


# sizes


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


# how they run

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
