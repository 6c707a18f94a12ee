"""Our PReLU against torch's: values, gradients, twice backwards, order in memory, mixed precision, and its export."""

import pytest
import torch
from torch import nn

from translate.networks import prelu
from translate.networks.compact import Compact
from translate.networks.prelu import PReLU

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def both(channels=4, dtype=torch.float32):
    """Ours and torch's with the same slopes, one of them below 0 and one above 1."""
    ours, theirs = PReLU(channels).to(dtype), nn.PReLU(channels).to(dtype)
    with torch.no_grad():
        ours.weight.copy_(torch.linspace(-0.3, 1.4, channels))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def maps(layout=torch.contiguous_format, dtype=torch.float32):
    torch.manual_seed(0)
    values = torch.randn(3, 4, 5, 7, dtype=dtype)
    values[0, 0, 0] = 0.0
    return values.contiguous(memory_format=layout)


def gradients(module, layout, dtype, autocast=False):
    values = maps(layout, dtype).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        made = module(values.bfloat16() if autocast else values)
    weight = torch.randn(made.shape, generator=torch.Generator().manual_seed(1)).to(made)
    (made * weight).sum().backward()
    return made, values.grad, module.weight.grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_and_gradients_are_torchs(layout, dtype):
    made, expected = (gradients(module, layout, dtype) for module in both(dtype=dtype))
    for one, other in zip(made[:2], expected[:2], strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()
        assert one.dtype == other.dtype
    exactness = {} if dtype != torch.bfloat16 else {"rtol": 2e-2, "atol": 2e-2}
    torch.testing.assert_close(made[2], expected[2], **exactness)


def test_broken_control_another_threshold_is_seen(monkeypatch):
    real = torch.ops.aten.threshold_backward
    monkeypatch.setattr(prelu.torch.ops.aten, "threshold_backward", lambda given, x, _: real(given, x, 0.5))
    made, expected = (gradients(module, LAYOUTS[0], torch.float32) for module in both())
    assert not torch.equal(made[1], expected[1])
    assert not torch.allclose(made[2], expected[2])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_in_mixed_precision_slopes_keep_theirs(layout):
    (made, grads, slopes), (made2, grads2, _) = (gradients(module, layout, torch.float32, True) for module in both())
    exact = gradients(both()[1], layout, torch.float32)
    assert made.dtype == made2.dtype == torch.bfloat16
    assert torch.equal(made, made2)
    assert torch.equal(grads, grads2)
    assert slopes.dtype == torch.float32
    torch.testing.assert_close(slopes, exact[2], rtol=2e-2, atol=5e-2)


def test_once_and_twice_backwards_by_finite_differences():
    ours, _ = both(dtype=torch.float64)
    values = (maps(dtype=torch.float64)[:1, :, :2, :2] + 0.05).requires_grad_()

    def call(values, weight):
        return torch.func.functional_call(ours, {"weight": weight}, (values,))

    weight = ours.weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(call, (values, weight))
    assert torch.autograd.gradgradcheck(call, (values, weight))


def _twice(network, wanted, values):
    """Of a penalty on the gradient."""
    (once,) = torch.autograd.grad(network(values).square().sum(), wanted, create_graph=True)
    return torch.autograd.grad(once.square().sum(), wanted)[0]


@pytest.mark.parametrize("wanted", ["maps", "slopes"])
def test_only_what_is_wanted_takes_a_gradient(wanted):
    ours, theirs = both()
    values = maps().requires_grad_(wanted == "maps")
    for network in (ours, theirs):
        network.requires_grad_(wanted == "slopes")
    twice = [_twice(network, values if wanted == "maps" else network.weight, values) for network in (ours, theirs)]
    torch.testing.assert_close(twice[0], twice[1])
    ours(values).sum().backward()
    assert (values.grad is not None, ours.weight.grad is not None) == (wanted == "maps", wanted == "slopes")


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 6)])
def test_other_shapes_go_torchs_way(shape):
    ours, theirs = both()
    values = torch.randn(shape)
    assert torch.equal(ours(values), theirs(values))


def test_it_is_used_where_training_needs_it_and_not_in_an_export():
    network = Compact(width=4, convolutions=1)
    assert "_Sloped" in str(network.body[:2](torch.randn(1, 3, 4, 4)).grad_fn)
    graph = torch.export.export(network.eval(), (torch.randn(1, 3, 4, 4),)).graph
    assert [str(node.target) for node in graph.nodes].count("aten.prelu.default") == 2


@pytest.mark.slow
def test_a_compiled_network_has_the_same_gradients():
    torch.manual_seed(0)
    eager = Compact(width=4, convolutions=1)
    compiled = Compact(width=4, convolutions=1)
    compiled.load_state_dict(eager.state_dict())
    compiled.compile(fullgraph=True)
    for network in (eager, compiled):
        network(maps()[:, :3]).square().sum().backward()
    for one, other in zip(compiled.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5)
