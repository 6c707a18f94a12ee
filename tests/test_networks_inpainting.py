"""Networks that fill holes against spandrel's LaMa, hand-counted weights, and measured reach."""

import numpy as np
import onnx
import pytest
import torch
from reaching import make_positive, measured_context
from small_networks import weights
from spandrel.architectures.LaMa.__arch.LaMa import FFCResNetGenerator
from test_networks_fourier import convolution_from, randomised
from tiles import as_model
from torch import nn

from translate.card import Picture
from translate.errors import ConfigurationError
from translate.export.session import ProtoRuntime
from translate.networks.context_encoder import ContextEncoder
from translate.networks.fourier_inpainter import FourierInpainter
from translate.networks.inpainters import InpainterConfig
from translate.networks.surroundings import Surroundings
from translate.runtime.gate import OPERATORS

pytestmark = pytest.mark.usefixtures("seeded")

KINDS = {
    "fourier": {"kind": "fourier"},
    "plain": {"kind": "fourier", "fourier": False},
    "context-encoder": {"kind": "context-encoder"},
    "unet": {"kind": "unet"},
}
UPSAMPLINGS = ["transposed", "bilinear", "nearest"]


def tiny(name, *, batch_size=4, crop_px=32, **options):
    config = InpainterConfig(**{"width": 4, "down": 2, "blocks": 1} | KINDS[name] | options)
    return config.build(4, 3, batch_size=batch_size, crop_px=crop_px)


# --- against LaMa ---


@pytest.mark.parametrize("blocks", [9, 18])
def test_lama_has_27_and_51_million_weights(blocks):
    with torch.device("meta"):
        theirs = weights(FFCResNetGenerator(4, 3, n_blocks=blocks))
        ours = weights(FourierInpainter(blocks=blocks))
    idle = 256 + 128 + 64  # biases of its transposed convolutions, which batch norm takes away
    assert ours == theirs - idle
    assert round(ours / 1e6) == {9: 27, 18: 51}[blocks]


def joined(one, two):
    """Two batch norms, of the local and of the global channels, as one."""
    return {name: torch.cat([each, two[name]]) if each.ndim else each for name, each in one.items()}


def lama_as_ours(theirs, width, down, blocks):
    ours, layers = FourierInpainter(width=width, down=down, blocks=blocks), list(theirs.model)
    ours.head[1].load_state_dict(layers[1].ffc.convl2l.state_dict())
    ours.head[2].load_state_dict(layers[1].bn_l.state_dict())
    for stage, given in zip(ours.down, layers[2 : 2 + down], strict=True):
        kernels = [path.weight.data for path in (given.ffc.convl2l, given.ffc.convl2g) if isinstance(path, nn.Conv2d)]
        stage[0].weight.data = torch.cat(kernels)
        norms = [norm.state_dict() for norm in (given.bn_l, given.bn_g) if isinstance(norm, nn.BatchNorm2d)]
        stage[1].load_state_dict(joined(*norms) if len(norms) == 2 else norms[0])
    for block, given in zip(ours.blocks, layers[2 + down : 2 + down + blocks], strict=True):
        for at, half in ((0, given.conv1), (3, given.conv2)):
            block.residual[at] = convolution_from(half.ffc, width * 2**down)
            block.residual[at + 1].load_state_dict(joined(half.bn_l.state_dict(), half.bn_g.state_dict()))
    ups = layers[3 + down + blocks : -3]
    for stage, convolution, norm in zip(ours.up, ups[::3], ups[1::3], strict=True):
        nn.init.zeros_(convolution.bias)
        stage[0].load_state_dict({"weight": convolution.weight})
        stage[1].load_state_dict(norm.state_dict())
    # 2 sigmoid(x) - 1 = tanh(x / 2)
    ours.tail[1].load_state_dict({name: each / 2 for name, each in layers[-2].state_dict().items()})
    return ours.eval()


def test_it_computes_what_lama_computes():
    theirs = randomised(FFCResNetGenerator(4, 3, ngf=4, n_downsampling=2, n_blocks=2))
    ours = lama_as_ours(theirs, width=4, down=2, blocks=2)
    picture, mask = torch.rand(2, 3, 20, 28), (torch.rand(2, 1, 20, 28) > 0.5).float()
    made, expected = ours(torch.cat([picture, mask], dim=1)), 2 * theirs(picture, mask) - 1
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    ours.blocks[0].residual[0].spectral.unit.mix[0].weight.data *= 0.5
    assert (ours(torch.cat([picture, mask], dim=1)) - expected).abs().max() > 1e-3


# --- the context encoder ---


def test_its_middle_lets_every_place_of_the_training_grid_see_every_other():
    """A channel-wise fully connected layer: within a map everything, between maps nothing before the 1 x 1."""
    network = ContextEncoder(width=2, down=2, grid=6)
    depthwise = network.middle[0].double()
    maps = torch.rand(1, 4, 6, 6).double().requires_grad_()
    for place in ((0, 0), (5, 5), (2, 3)):
        seen = torch.autograd.grad(depthwise(maps)[0, 1][place], maps)[0][0].abs() > 0
        assert seen[1].all()
        assert not seen[[0, 2, 3]].any()
    smaller = ContextEncoder(width=2, down=2, grid=5).middle[0].double()
    assert not (torch.autograd.grad(smaller(maps)[0, 1, 0, 0], maps)[0][0, 1].abs() > 0).all()


def test_its_middle_is_a_fully_connected_layer_that_shares_weights():
    depthwise = ContextEncoder(width=1, down=1, grid=4).middle[0]
    kernel, maps = depthwise.weight[0, 0], torch.rand(1, 1, 4, 4)
    places = [(row, column) for row in range(4) for column in range(4)]
    matrix = torch.stack(
        [torch.stack([kernel[3 + r - row, 3 + c - column] for r, c in places]) for row, column in places]
    )
    torch.testing.assert_close(depthwise(maps).flatten(), matrix @ maps.flatten())


def test_context_encoder_weights_by_hand():
    halvings = 16 * (4 * 8 + 8 * 16 + 16 * 32) + 8  # 4 x 4; the first has a bias and no norm
    middle = 32 * 7 * 7 + 32 * 32
    doublings = 16 * (32 * 16 + 16 * 8) + 16 * 8 * 3 + 3
    norms = 2 * (16 + 32 + 32 + 16 + 8)
    assert weights(ContextEncoder(width=8, down=3, grid=4)) == halvings + middle + doublings + norms


# --- all of them ---


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("name", KINDS)
def test_every_size_of_its_rule(name, upsampling):
    network = tiny(name, upsampling=upsampling)
    least, step = network.size_rule.at_least_px, network.size_rule.multiple_of_px
    for height, width in ((least, least), (least + step, least + 4 * step)):
        made = network(torch.randn(2, 4, height, width))
        assert made.shape == (2, 3, height, width)
        assert made.abs().max() <= 1
    made.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    assert sum(parameter.grad.abs().max() == 0 for parameter in network.parameters()) == 0


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("down", [1, 2])
def test_the_plain_one_sees_its_context(down, upsampling):
    network = make_positive(
        FourierInpainter(
            inputs=1, outputs=1, width=2, down=down, blocks=1, norm="none", upsampling=upsampling, fourier=False
        )
    )
    assert measured_context(network, 96, period=2**down) == network.context_px
    assert network.tiling == "exact"


@pytest.mark.parametrize(("down", "grid"), [(1, 3), (2, 4)])
def test_the_context_encoder_sees_its_context(down, grid):
    network = make_positive(ContextEncoder(inputs=1, outputs=1, width=1, down=down, grid=grid, norm="none"))
    assert measured_context(network, 96, period=2**down) == network.context_px


def test_the_fourier_one_sees_everything():
    network = tiny("fourier").eval()
    assert (network.tiling, network.context_px) == ("forbidden", None)
    picture = torch.randn(1, 4, 96, 96).requires_grad_()
    seen = torch.autograd.grad(network(picture)[0, 0, 0, 0], picture)[0].abs() > 0
    assert seen[..., -8:, -8:].any()
    picture = torch.randn(1, 4, 96, 96).requires_grad_()
    seen = torch.autograd.grad(tiny("plain").eval()(picture)[0, 0, 0, 0], picture)[0].abs() > 0
    assert not seen[..., -8:, -8:].any()


@pytest.mark.parametrize("name", KINDS)
def test_a_picture_does_not_depend_on_others_nor_on_statistics(name):
    network = randomised(tiny(name))
    pictures = torch.randn(3, 4, 32, 32)
    torch.testing.assert_close(network(pictures)[:1], network(pictures[:1]), atol=1e-5, rtol=0)
    assert not torch.allclose(network.train()(pictures)[:1], network(pictures[:1]), atol=1e-3)


@pytest.mark.parametrize("name", KINDS)
def test_batch_norm_at_batch_size_1_is_instance_norm(name):
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in tiny(name, batch_size=1).modules())
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in tiny(name).modules())


@pytest.mark.parametrize("name", KINDS)
def test_untrained_it_is_neither_flat_nor_full(name):
    made = tiny(name, norm="batch", width=16, blocks=4, down=3)(torch.rand(2, 4, 64, 64) * 2 - 1)
    assert (made.abs() > 0.99).float().mean() < 0.01
    assert made.isfinite().all()


@pytest.mark.parametrize(("crop_px", "down"), [(30, 2), (4, 2), (96, 6)])
@pytest.mark.parametrize("name", KINDS)
def test_crops_that_it_cannot_take(name, crop_px, down):
    with pytest.raises(ConfigurationError, match="crop-px"):
        tiny(name, crop_px=crop_px, down=down)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fourier", {"kind": "lama"}, "kind"),
        ("fourier", {"upsampling": "cubic"}, "upsampling"),
        ("unet", {"upsampling": "cubic"}, "upsampling"),
    ],
)
def test_names_that_there_are_not(name, options, message):
    with pytest.raises(ConfigurationError, match=message):
        tiny(name, **options)


@pytest.mark.parametrize(
    "name",
    ["context-encoder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("fourier", "plain"))],
)
def test_the_exported_graph_agrees_at_other_sizes(name):
    network = randomised(tiny(name))
    rule = network.size_rule
    ports = {"inputs": (Picture(name="a", channels=4, size=rule),), "outputs": (Picture(name="b", size=rule),)}
    model, card, module = as_model(network, **ports)
    graph = onnx.load_from_string(model)
    runtime = ProtoRuntime(graph, card)
    assert {node.op_type for node in graph.graph.node} <= OPERATORS
    for size in ((20, 28), (8, 8), (64, 52)):  # odd at a quarter
        picture = torch.rand(1, 4, *size) * 2 - 1
        with torch.inference_mode():
            expected = module(picture)[0].numpy()
        assert np.abs(runtime.run({"a": picture.numpy()})["b"] - expected).max() < 2e-5
        network.tail[-2].bias.data += 0.01
        with torch.inference_mode():
            changed = module(picture)[0].numpy()
        network.tail[-2].bias.data -= 0.01
        assert np.abs(changed - expected).max() > 2e-5


# A plain filling to start from


def smooth_picture(height=64, width=80):
    rows, columns = torch.meshgrid(torch.linspace(-0.9, 0.9, height), torch.linspace(-0.5, 0.7, width), indexing="ij")
    return torch.stack([rows, columns, 0.5 * (rows + columns)])[None]


def test_surroundings_fill_flat_pictures_exactly_and_smooth_ones_nearly():
    hole = torch.zeros(1, 1, 64, 80)
    hole[..., 20:40, 30:56] = 1.0
    fill = Surroundings()
    flat = torch.full((1, 3, 64, 80), 0.3)
    rubbish = torch.where(hole > 0, torch.tensor(9.0), flat)
    torch.testing.assert_close(fill(rubbish, hole), flat)
    smooth = smooth_picture()
    apart = ((fill(smooth, hole) - smooth).abs() * hole).sum() / (3 * hole.sum())
    mean = (smooth.mean(dim=(2, 3), keepdim=True) - smooth).abs()
    assert float(apart) < 0.5 * float((mean * hole).sum() / (3 * hole.sum()))
    assert torch.equal(fill(smooth, hole)[(hole < 1).expand_as(smooth)], smooth[(hole < 1).expand_as(smooth)])


def test_a_picture_that_is_all_hole_is_filled_with_finite_numbers():
    assert bool(torch.isfinite(Surroundings()(torch.ones(1, 3, 16, 16), torch.ones(1, 1, 16, 16))).all())


@pytest.mark.parametrize("name", KINDS)
def test_a_network_from_the_surroundings_begins_at_them(name):
    network = tiny(name, base="surroundings", batch_size=2)
    hole = torch.zeros(2, 1, 32, 32)
    hole[..., 8:20, 8:20] = 1.0
    picture = torch.rand(2, 3, 32, 32) * 2 - 1
    made = network(torch.cat([picture * (1 - hole), 2 * hole - 1], dim=1)).detach()
    assert float((made - Surroundings()(picture, hole)).abs().mean()) < 0.05
    assert network.size_rule.multiple_of_px == 8
