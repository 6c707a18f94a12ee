"""Transforms as matrix products against torch.fft, and fast Fourier convolutions against spandrel's."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from spandrel.architectures.LaMa.__arch.LaMa import FFC
from spandrel.architectures.LaMa.__arch.LaMa import FourierUnit as TheirUnit
from tiles import as_model
from torch import nn

from translate.card import SizeRule
from translate.errors import ConfigurationError
from translate.export.precision.half import half
from translate.export.session import ProtoRuntime
from translate.networks import fourier
from translate.networks.fourier import FourierPlane
from translate.networks.fourier_convolution import FastFourierConvolution, FourierUnit
from translate.runtime.gate import OPERATORS

pytestmark = pytest.mark.usefixtures("seeded")

BAR = 1e-5
SIZES = [(1, 1), (1, 2), (2, 3), (8, 8), (7, 9), (31, 32), (96, 127)]
LARGE = (1021, 767)


def maps_of(height, width, channels=2):
    return torch.rand(1, channels, height, width) * 2 - 1


def numbers_of(height, width):
    return torch.rand(1, 4, height, width // 2 + 1) * 2 - 1


def there(maps):
    spectrum = torch.fft.rfft2(maps, norm="ortho")
    return torch.cat([spectrum.real, spectrum.imag], dim=1)


def back(numbers, size):
    return torch.fft.irfft2(torch.complex(*numbers.chunk(2, dim=1)), s=size, norm="ortho")


def forward_error(*size):
    maps = maps_of(*size)
    return float((FourierPlane.of(maps).forward(maps) - there(maps.double())).abs().max())


def inverse_error(*size):
    numbers, plane = numbers_of(*size), FourierPlane.of(maps_of(*size))
    return float((plane.inverse(numbers) - back(numbers.double(), size)).abs().max())


@pytest.mark.parametrize("size", [*SIZES, LARGE])
def test_the_transform_is_rfft2(size):
    assert forward_error(*size) < BAR


@pytest.mark.parametrize("size", [*SIZES, LARGE])
def test_the_inverse_is_irfft2_of_any_numbers(size):
    """Of those too that no real maps have."""
    assert inverse_error(*size) < BAR


@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_those_of_torch(size):
    maps, wanted = maps_of(*size).double().requires_grad_(), torch.rand(1, 4, size[0], size[1] // 2 + 1).double()
    ours, theirs = (
        torch.autograd.grad((made * wanted).sum(), maps)[0]
        for made in (FourierPlane.of(maps).forward(maps), there(maps))
    )
    torch.testing.assert_close(ours, theirs)
    numbers, wanted = numbers_of(*size).double().requires_grad_(), torch.rand(1, 2, *size).double()
    ours, theirs = (
        torch.autograd.grad((made * wanted).sum(), numbers)[0]
        for made in (FourierPlane.of(maps).inverse(numbers), back(numbers, size))
    )
    torch.testing.assert_close(ours, theirs)


# --- broken variants, which the same bars must catch ---


def with_whole_turns(length, frequencies, dtype):
    angles = torch.outer(torch.arange(length).to(dtype), frequencies.to(dtype)) * (2 * np.pi / length)
    return angles.cos() * length**-0.5, angles.sin() * length**-0.5


def test_angles_of_many_turns_have_no_digits_left(monkeypatch):
    monkeypatch.setattr(fourier, "_waves", with_whole_turns)
    assert forward_error(*LARGE) > BAR
    assert inverse_error(*LARGE) > BAR
    assert forward_error(7, 9) < BAR  # small ones have


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_frequencies_that_mirror_none_count_once(size):
    numbers, plane = numbers_of(*size), FourierPlane.of(maps_of(*size))
    doubled = replace(plane, mirrored=torch.full_like(plane.mirrored, 2.0))
    assert (doubled.inverse(numbers) - back(numbers, size)).abs().max() > 0.1


def test_autocast_does_not_touch_the_sums():
    maps = maps_of(31, 32)
    plane = FourierPlane.of(maps)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(plane.forward(maps), FourierPlane.of(maps).forward(maps))
        inside = plane.forward(maps)
        product = maps @ plane.along[0]
    assert torch.equal(inside, plane.forward(maps))
    assert (product - maps @ plane.along[0]).abs().max() > 1e-3  # a plain product would be touched


def test_halves_come_back_as_halves():
    maps = maps_of(12, 10).bfloat16()
    made = FourierPlane.of(maps).forward(maps)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made, there(maps.float()).bfloat16(), atol=1e-2, rtol=1e-2)


# --- fast Fourier convolutions ---


def randomised(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0.0, 0.3)
            layer.running_mean.normal_(0.0, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
    return network.eval()


def parts_after_channels(tensor, axis):
    """Theirs has real and imaginary part of a channel side by side; ours has all real parts first."""
    order = torch.cat([torch.arange(0, tensor.shape[axis], 2), torch.arange(1, tensor.shape[axis], 2)])
    return tensor.index_select(axis, order)


def unit_from(theirs):
    ours = FourierUnit(channels=theirs.conv_layer.in_channels // 2).eval()
    weight = parts_after_channels(parts_after_channels(theirs.conv_layer.weight.data, 0), 1)
    ours.mix[0].load_state_dict({"weight": weight})
    norm = theirs.bn.state_dict()
    count = norm.pop("num_batches_tracked")
    ours.mix[1].load_state_dict(
        {name: parts_after_channels(each, 0) for name, each in norm.items()} | {"num_batches_tracked": count}
    )
    return ours


def convolution_from(theirs, channels):
    """LaMa's four paths as ours."""
    ours = FastFourierConvolution(channels=channels).eval()
    spectral = theirs.convg2g
    ours.to_local.weight.data = torch.cat([theirs.convl2l.weight, theirs.convg2l.weight], dim=1).data
    ours.to_global.load_state_dict(theirs.convl2g.state_dict())
    ours.spectral.narrow[:2].load_state_dict(spectral.conv1[:2].state_dict())
    ours.spectral.unit = unit_from(spectral.fu)
    ours.spectral.widen.load_state_dict(spectral.conv2.state_dict())
    return ours


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (2, 5)])
def test_the_unit_is_lamas(size):
    theirs, maps = randomised(TheirUnit(3, 3)), maps_of(*size, channels=3)
    torch.testing.assert_close(unit_from(theirs)(maps), theirs(maps), atol=BAR, rtol=0)


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_the_convolution_is_lamas(size):
    theirs = randomised(FFC(8, 8, 3, 0.75, 0.75, padding=1, enable_lfu=False))
    maps = maps_of(*size, channels=8)
    ours, expected = convolution_from(theirs, 8), torch.cat(theirs((maps[:, :2], maps[:, 2:])), dim=1)
    torch.testing.assert_close(ours(maps), expected, atol=BAR, rtol=0)
    ours.local = 3
    with pytest.raises(RuntimeError):
        ours(maps)


def test_it_sees_the_whole_picture_where_a_convolution_sees_its_neighbours():
    network = FastFourierConvolution(channels=64).eval().double()
    maps = maps_of(24, 20, channels=64).double().requires_grad_()
    made = network(maps)
    local, whole = (torch.autograd.grad(made[0, c, 12, 10], maps, retain_graph=True)[0][0].abs() for c in (0, 63))
    assert (local.sum(dim=0) > 0).sum() == 9
    assert (whole[16:].sum(dim=0) > 0).all()
    assert (whole[:16].sum(dim=0) > 0).sum() == 9  # local channels reach global ones by a convolution


@pytest.mark.parametrize("ratio", [0.0, 0.1, 1.0])
def test_ratios_that_leave_no_channels(ratio):
    with pytest.raises(ConfigurationError, match="global-ratio"):
        FastFourierConvolution(channels=8, global_ratio=ratio)


class Twice(nn.Module):
    """Two units, between 1 x 1 convolutions, as a network that can be exported."""

    tiling, size_rule = "forbidden", SizeRule()

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 1), FourierUnit(channels=4), FourierUnit(channels=4), nn.Conv2d(4, 3, 1), nn.Tanh()
        )

    def forward(self, maps):
        return self.layers(maps)


def test_the_exported_graph_agrees_at_sizes_that_are_no_powers_of_two():
    model, card, module = as_model(randomised(Twice()))
    graph = onnx.load_from_string(model)
    runtimes = {"full": ProtoRuntime(graph, card), "half": ProtoRuntime(half(graph), card)}
    assert {node.op_type for node in graph.graph.node} <= OPERATORS
    assert "DFT" not in {node.op_type for node in graph.graph.node}
    for size in ((31, 45), (1, 2), (64, 64), (127, 101)):
        maps = maps_of(*size, channels=3)
        with torch.inference_mode():
            expected = module(maps)[0].numpy()
        apart = {name: np.abs(each.run({"a": maps.numpy()})["b"] - expected) for name, each in runtimes.items()}
        assert apart["full"].max() < BAR
        assert apart["half"].mean() < 2e-3
        assert apart["half"].max() < 2e-2
