"""Instance norm in either order of memory against torch's own: values, gradients, gradients of gradients."""

import pytest
import torch
from torch import nn

from translate.networks.instance_norm import InstanceNorm2d, _Normalised

SHAPES = [(1, 6, 9, 7), (3, 6, 9, 7), (2, 1, 4, 4), (4, 5, 1, 8)]
LAST = torch.channels_last


def pair(affine, channels, dtype=torch.float64):
    torch.manual_seed(1)
    ours, theirs = (kind(channels, affine=affine).to(dtype) for kind in (InstanceNorm2d, nn.InstanceNorm2d))
    if affine:
        nn.init.normal_(ours.weight)
        nn.init.normal_(ours.bias)
        theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def maps_of(shape, dtype=torch.float64):
    torch.manual_seed(2)
    maps = 3.0 * torch.randn(shape, dtype=dtype) + 5.0
    return maps.contiguous(memory_format=LAST)


def thrice(norm, maps):
    """The value, its gradient, and the gradient of that gradient's square: by input and by parameters."""
    maps = maps.clone().requires_grad_()
    made = norm(maps)
    weights = torch.linspace(-1.0, 1.0, made.numel(), dtype=made.dtype).view_as(made)
    wanted = [maps, *norm.parameters()]
    first = torch.autograd.grad((made.sin() * weights).sum(), wanted, create_graph=True)
    second = torch.autograd.grad(sum(part.square().sum() for part in first), wanted)
    return [made, *first, *second]


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_gradients_and_their_gradients_are_torchs(shape, affine, monkeypatch):
    # The formula computes in float32 on purpose; here it is to be compared in float64.
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)
    ours, theirs = pair(affine, shape[1])
    maps = maps_of(shape)
    for mine, reference in zip(thrice(ours, maps), thrice(theirs, maps.contiguous()), strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_the_plain_backward_pass_is_torchs_too(shape):
    """`thrice` asks for a graph; a training step does not, and takes the written-out gradient."""
    ours, theirs = pair(True, shape[1], torch.float32)
    grads = []
    for norm, maps in ((ours, maps_of(shape, torch.float32)), (theirs, maps_of(shape, torch.float32).contiguous())):
        maps.requires_grad_()
        norm(maps).sin().sum().backward()
        grads.append((maps.grad, norm.weight.grad, norm.bias.grad))
    for mine, reference in zip(*grads, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)


def test_a_wrong_gradient_would_be_noticed(monkeypatch):
    def without_a_term(ctx, given):
        _, _, scale = ctx.saved_tensors
        return (given - given.mean((2, 3), keepdim=True)) * scale, None

    monkeypatch.setattr(_Normalised, "backward", staticmethod(without_a_term))
    with pytest.raises(AssertionError):
        test_the_plain_backward_pass_is_torchs_too(SHAPES[1])


@pytest.mark.parametrize("shape", SHAPES[:2])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_maps_stay_in_their_order_and_precision(shape, affine, dtype):
    ours, theirs = pair(affine, shape[1], torch.float32)
    for network, maps in ((ours, maps_of(shape, torch.float32)), (ours, maps_of(shape, torch.float32).contiguous())):
        maps = maps.to(dtype).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            made, reference = network(maps), theirs(maps.detach().contiguous())
        made.sum().backward()
        assert made.dtype == dtype == reference.dtype
        assert made.stride() == maps.stride() == maps.grad.stride()
        torch.testing.assert_close(made, reference, rtol=0.02, atol=0.02)


def test_torchs_own_does_not_keep_the_order():
    maps = maps_of((2, 6, 9, 7))
    assert nn.InstanceNorm2d(6).double()(maps).stride() != maps.stride()


@pytest.mark.parametrize("count", [1, 2])
def test_one_pixel_is_refused(count):
    with pytest.raises(ValueError, match=r"xpected more than 1"):
        InstanceNorm2d(3)(torch.zeros(count, 3, 1, 1).contiguous(memory_format=LAST))


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_compiled_it_is_the_same(count):
    ours, theirs = pair(True, 6, torch.float32)
    maps = maps_of((count, 6, 9, 7), torch.float32).requires_grad_()
    made = torch.compile(nn.Sequential(nn.Conv2d(6, 6, 1), ours))
    reference = nn.Sequential(made._orig_mod[0], theirs)
    torch.testing.assert_close(made(maps), reference(maps.contiguous()), rtol=1e-4, atol=1e-5)
