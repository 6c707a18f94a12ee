"""Networks that enlarge against published sizes, spandrel's networks, functional rewrites and measured reach."""

import numpy as np
import pytest
import torch
from reaching import make_positive, measured_context
from small_networks import weights
from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet
from tiles import as_model
from torch import nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.export.precision.half import half
from translate.export.session import ProtoRuntime
from translate.networks.compact import Compact
from translate.networks.enlargement import EnlargedBase, enlarging_context_px
from translate.networks.enlargers import EnlargerConfig
from translate.networks.receptive import Step
from translate.networks.rrdb import RRDB
from translate.networks.srresnet import SRResNet
from translate.runtime.gate import OPERATORS

pytestmark = pytest.mark.usefixtures("seeded")

KINDS = ["compact", "srresnet", "rrdb"]
BASES = ["nearest", "bilinear", "bicubic"]
ODD = (19, 23)


def tiny(kind, **options):
    return EnlargerConfig(kind=kind, **{"width": 8, "blocks": 2, "growth": 4} | options)


def picture(*size, channels=3, count=2):
    return torch.rand(count, channels, *size) * 2 - 1


def as_trained(network):
    """Weights with which every layer matters."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0.0, layer.weight[0].numel() ** -0.5)
            nn.init.normal_(layer.bias, 0.0, 0.1)
        if isinstance(layer, nn.PReLU):
            nn.init.uniform_(layer.weight, 0.0, 0.5)
    return network


# --- against what others published ---


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (lambda: SRResNet(scale=4), 1_517_571),  # BasicSR's MSRResNet x 4
        (lambda: RRDB(scale=4), 16_697_987),  # ESRGAN, 23 blocks
        (lambda: Compact(scale=4, convolutions=16), 621_424),  # realesr-animevideov3
        (lambda: Compact(scale=4, convolutions=32), 1_213_296),  # realesr-general-x4v3
    ],
)
def test_published_sizes(network, published):
    with torch.device("meta"):
        assert weights(network()) == published


def in_order(network, other):
    """The other network's tensors under this one's names, in the order in which both have them."""
    theirs = other.state_dict().values()
    return dict(zip(network.state_dict(), theirs, strict=True))


@pytest.mark.parametrize("scale", [2, 4])
def test_compact_is_srvggnet(scale):
    theirs = as_trained(SRVGGNetCompact(num_feat=8, num_conv=3, upscale=scale))
    ours = Compact(width=8, convolutions=3, scale=scale, base="nearest")
    ours.load_state_dict(theirs.state_dict())  # the names are the published ones
    sample = picture(*ODD)
    torch.testing.assert_close(ours(sample), theirs(sample))
    assert not torch.allclose(Compact.forward(tiny_like(ours, base="bilinear"), sample), theirs(sample), atol=1e-3)


def tiny_like(network, **options):
    other = Compact(width=8, convolutions=3, scale=network.scale, **options)
    other.load_state_dict(network.state_dict())
    return other


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_rrdb_is_esrgan(scale):
    # spandrel's growth is always 32.
    theirs = as_trained(RRDBNet(num_filters=8, num_blocks=1, scale=scale))
    ours = RRDB(width=8, blocks=1, growth=32, scale=scale)
    ours.load_state_dict(in_order(ours, theirs))
    sample = picture(9, 7)
    torch.testing.assert_close(ours(sample), theirs(sample))


def test_rrdb_without_its_residual_scale_is_not_esrgan(monkeypatch):
    monkeypatch.setattr("translate.networks.rrdb.RESIDUAL_SCALE", 0.25)
    with pytest.raises(AssertionError):
        test_rrdb_is_esrgan(2)


def msrresnet_by_functions(sample, tensors, blocks, factors):
    """BasicSR's published MSRResNet, whose state dict has the same order."""
    take = iter(tensors)

    def convolve(maps):
        return functional.conv2d(maps, next(take), next(take), padding=1)

    maps = functional.leaky_relu(convolve(sample), 0.1)
    for _ in range(blocks):
        maps = maps + convolve(convolve(maps).relu())
    for factor in factors:
        maps = functional.leaky_relu(functional.pixel_shuffle(convolve(maps), factor), 0.1)
    made = convolve(functional.leaky_relu(convolve(maps), 0.1))
    assert next(take, None) is None
    size = made.shape[-2:]
    return made + functional.interpolate(sample, size=size, mode="bilinear", align_corners=False)


@pytest.mark.parametrize(("scale", "factors"), [(1, []), (2, [2]), (3, [3]), (4, [2, 2])])
def test_srresnet_computes_the_published_layers(scale, factors):
    network = as_trained(SRResNet(width=8, blocks=2, scale=scale))
    sample = picture(*ODD)
    expected = msrresnet_by_functions(sample, network.state_dict().values(), 2, factors)
    torch.testing.assert_close(network(sample), expected)


def test_srresnet_with_batch_norm_is_foldable():
    network = SRResNet(width=8, blocks=1, scale=2, norm="batch")
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == 2
    assert network.tiling == "exact"
    assert SRResNet(width=8, blocks=1, norm="instance").tiling == "whole-picture statistics"


# --- as configured ---


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_any_size_becomes_scale_times_as_large(kind, scale):
    network = tiny(kind).build(1, scale)
    assert (network.scale, network.size_rule.multiple_of_px) == (scale, 1)
    for height, width in ((1, 1), (2, 5), ODD):
        made = network(picture(height, width, channels=1))
        assert made.shape == (2, 1, scale * height, scale * width)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", KINDS)
def test_untrained_it_gives_the_plain_enlargement(kind, base):
    sample = picture(*ODD)
    corners = None if base == "nearest" else False
    plain = functional.interpolate(sample, scale_factor=2.0, mode=base, align_corners=corners)
    assert (tiny(kind, base=base).build(3, 2)(sample) - plain).abs().mean() < 0.05
    assert (as_trained(tiny(kind, base=base).build(3, 2))(sample) - plain).abs().mean() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_learns(kind):
    network = tiny(kind).build(3, 2)
    network(picture(*ODD)).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_depth_neither_explodes_nor_dies(kind):
    depth = {"compact": 32, "srresnet": 16, "rrdb": 23}[kind]
    network = EnlargerConfig(kind=kind, width=16, blocks=depth, growth=8).build(3, 2)
    last, seen, sample = (network.body if kind == "compact" else network.last)[-1], [], picture(*ODD)
    last.register_forward_hook(lambda _layer, given, _made: seen.append(given[0].detach()))
    plain = functional.interpolate(sample, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert (network(sample) - plain).abs().mean() < 0.05
    assert 0.05 < seen[0].std() < 5


@pytest.mark.parametrize(("kind", "scale"), [("srresnet", 5), ("rrdb", 6), ("rrdb", 0), ("compact", 0)])
def test_scales_that_there_are_not(kind, scale):
    with pytest.raises(ConfigurationError, match=r"--making\.scale is"):
        tiny(kind).build(3, scale)


def test_names_that_there_are_not():
    with pytest.raises(ConfigurationError, match="kind 'swin' is unknown"):
        EnlargerConfig(kind="swin").build(3, 2)
    with pytest.raises(ConfigurationError, match="base 'lanczos' is unknown"):
        EnlargedBase(base="lanczos", scale=2)
    with pytest.raises(ConfigurationError, match="blocks is 0"):
        tiny("rrdb", blocks=0).build(3, 2)


# --- how far they see ---


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize(("kind", "blocks"), [("compact", 3), ("srresnet", 1), ("srresnet", 3), ("rrdb", 1)])
def test_context_is_what_the_gradient_reaches(kind, blocks, scale):
    network = make_positive(tiny(kind, blocks=blocks, width=2, growth=2, base="none").build(1, scale))
    assert measured_context(network, 64, scale=scale) == network.context_px


def test_a_step_too_few_is_another_context():
    shuffle, same = Step(kernel=2, stride=2, enlarges=True), Step(kernel=3, padding=1)
    # Two convolutions at twice the size reach one pixel of the input; one more at the small size, one more pixel.
    assert enlarging_context_px([shuffle, same, same], 2) == 1
    assert enlarging_context_px([same, shuffle, same, same], 2) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base", BASES)
def test_a_tile_with_its_context_equals_the_whole(kind, base):
    network = as_trained(tiny(kind, blocks=1, base=base).build(3, 2))
    border, sample = network.context_px, picture(4, 80, count=1)
    whole = network(sample)[..., 60:100]
    for enough, around in ((True, border), (False, border // 2 - 1)):
        tile = network(sample[..., 30 - around : 50 + around])[..., 2 * around : 2 * around + 40]
        assert torch.allclose(whole, tile, atol=1e-6) is enough


# --- as a file ---


def operators(model):
    import onnx

    return {node.op_type for node in onnx.load_from_string(model).graph.node}


def worst_at(model, module, card, *size):
    import onnx

    sample = picture(*size, count=1)
    made = ProtoRuntime(onnx.load_from_string(model), card).run({"a": sample.numpy()})["b"]
    with torch.inference_mode():
        return float(np.abs(made - module(sample)[0].numpy()).max())


EXPORTED = [
    pytest.param("compact", "bicubic"),
    pytest.param("srresnet", "bilinear", marks=pytest.mark.slow),
    pytest.param("rrdb", "none", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("kind", "base"), EXPORTED)
def test_the_exported_graph_agrees_at_other_sizes(kind, base):
    network = as_trained(tiny(kind, blocks=1, base=base).build(3, 2)).eval()
    model, card, module = as_model(network, scale=2)
    assert operators(model) <= OPERATORS
    for size in (ODD, (1, 2), (64, 48)):
        assert worst_at(model, module, card, *size) < 1e-5
    as_trained(network)
    assert worst_at(model, module, card, *ODD) > 1e-2  # other weights


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_in_half_precision(kind):
    import onnx

    network = as_trained(tiny(kind, blocks=1).build(3, 2)).eval()
    model, card, module = as_model(network, scale=2)
    halved = half(onnx.load_from_string(model)).SerializeToString()
    assert 1e-6 < worst_at(halved, module, card, *ODD) < 2e-2
