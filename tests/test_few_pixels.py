"""Convolutions as products of matrices against torch's own: values, gradients, gradients of gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from translate.networks import few_pixels
from translate.networks.few_pixels import FewPixelsConv2d, FewPixelsConvTranspose2d
from translate.networks.unet import UNet

LAST = torch.channels_last
KINDS = {
    FewPixelsConv2d: (nn.Conv2d, functional.conv2d),
    FewPixelsConvTranspose2d: (nn.ConvTranspose2d, functional.conv_transpose2d),
}
SHAPES = [
    {"kernel": 4, "stride": 2, "padding": 1, "bias": True},
    {"kernel": 4, "stride": 2, "padding": 1, "bias": False},
    {"kernel": 4, "stride": 1, "padding": 0, "bias": True},
    {"kernel": 2, "stride": 2, "padding": 0, "bias": False},
    {"kernel": 6, "stride": 3, "padding": 2, "bias": True},
]


@pytest.fixture
def always(monkeypatch):
    """Whatever pays: float64 too, so that the comparison is sharp."""
    monkeypatch.setattr(few_pixels, "_pays", lambda *_: True)


@pytest.fixture
def products(monkeypatch):
    """How often the product took the place of the convolution."""
    seen = []
    matrix = few_pixels._matrix
    monkeypatch.setattr(few_pixels, "_matrix", lambda weight: seen.append(weight.shape) or matrix(weight))
    return seen


def layer_of(kind, shape, dtype=torch.float64, channels=(5, 3)):
    torch.manual_seed(1)
    return kind(*channels, **shape).to(dtype).to(memory_format=LAST)


def maps_of(shape, dtype=torch.float64):
    torch.manual_seed(2)
    return torch.randn(shape, dtype=dtype).contiguous(memory_format=LAST)


def torchs(layer):
    """What torch's own layer of the same weights does."""
    function = KINDS[type(layer)][1]
    return lambda maps: function(maps, layer.weight, layer.bias, layer.stride, layer.padding)


def thrice(function, layer, maps):
    maps = maps.clone().requires_grad_()
    made = function(maps)
    weights = torch.linspace(-1.0, 1.0, made.numel(), dtype=made.dtype).view(made.shape)
    wanted = [maps, *layer.parameters()]
    first = torch.autograd.grad((made.sin() * weights).sum(), wanted, create_graph=True)
    second = torch.autograd.grad(sum(part.square().sum() for part in first), wanted)
    return [made, *first, *second]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(1, 5, 6, 6), (3, 5, 7, 9)])
def test_values_gradients_and_their_gradients_are_torchs(kind, shape, size, always, products):
    layer, maps = layer_of(kind, shape), maps_of(size)
    mine = thrice(layer, layer, maps)
    assert products
    for ours, theirs in zip(mine, thrice(torchs(layer), layer, maps), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_one_tap_elsewhere_is_noticed(kind, always):
    """The comparison above is not blind: the same with a kernel upside down."""
    layer, maps = layer_of(kind, SHAPES[0]), maps_of((1, 5, 6, 6))
    made = layer(maps)
    with torch.no_grad():
        layer.weight.copy_(layer.weight.flip(2))
    assert (made - torchs(layer)(maps)).abs().max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_product_is_taken_where_pixels_are_few(kind, dtype, products):
    layer = layer_of(kind, SHAPES[0], torch.float32, (64, 4))
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        few = layer(maps_of((1, 64, 2, 2), dtype))
        assert products
        products.clear()
        layer(maps_of((4, 64, 16, 16), dtype))
        assert not products
    assert few.dtype == dtype
    assert few.is_contiguous(memory_format=LAST)
    expected = torchs(layer)(maps_of((1, 64, 2, 2), dtype).float())
    torch.testing.assert_close(few.float(), expected, rtol=0.02, atol=0.02 if dtype == torch.bfloat16 else 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_plain_weights_go_through_torch(kind, products):
    layer = layer_of(kind, SHAPES[0], torch.float32, (64, 4)).to(memory_format=torch.contiguous_format)
    layer(maps_of((1, 64, 2, 2), torch.float32))
    assert not products


def test_a_stride_that_does_not_divide_the_kernel_is_refused():
    with pytest.raises(ValueError, match="does not divide"):
        FewPixelsConvTranspose2d(3, 3, 3, stride=2, padding=1, bias=True)


def test_the_middle_of_a_unet_is_products(products):
    torch.manual_seed(0)
    network = UNet(width=8, depth=6).eval().to(memory_format=LAST)
    picture = maps_of((1, 3, 64, 64), torch.float32)
    with torch.no_grad():
        ours = network(picture)
        assert len(products) >= 3
        theirs = network.to(memory_format=torch.contiguous_format)(picture.contiguous())
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
