"""Generators from noise, encoders and heads against published counts, closed forms and ONNX Runtime."""

import io
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from small_networks import weights
from torch import nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.networks.encoders import EncoderConfig
from translate.networks.heads import ClassifierHead, CodeHead
from translate.networks.initialise import initialise
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.r3 import Basis, InvertedBottleneck, r3_generator, r3_stages
from translate.networks.shapes import doublings, is_picture, numel

pytestmark = pytest.mark.usefixtures("seeded")

PICTURE, POINTS = (3, 16, 16), (2,)
GENERATORS = {
    "mlp": LatentGeneratorConfig(kind="mlp", widths=(12, 9), norm="none"),
    "mlp softplus": LatentGeneratorConfig(kind="mlp", widths=(12, 9), activation="softplus"),
    "dcgan": LatentGeneratorConfig(width=4),
    "dcgan dense": LatentGeneratorConfig(width=4, dense=6, norm="none"),
    "dcgan nearest": LatentGeneratorConfig(width=4, resampling="nearest", norm="none"),
    "dcgan blur": LatentGeneratorConfig(width=4, resampling="blur"),
    "r3": LatentGeneratorConfig(kind="r3", width=8, blocks=1, norm="none"),
}
ENCODERS = {
    "mlp": EncoderConfig(kind="mlp", widths=(12, 9), norm="none"),
    "dcgan": EncoderConfig(width=4, embedding=3),
    "r3": EncoderConfig(kind="r3", width=8, blocks=1, norm="none", embedding=3),
    "conv": EncoderConfig(kind="conv", width=4, embedding=3),
}
every_generator = pytest.mark.parametrize("config", GENERATORS.values(), ids=GENERATORS)
every_encoder = pytest.mark.parametrize("config", ENCODERS.values(), ids=ENCODERS)


# --- counts ---


def test_dcgan_has_as_many_weights_as_published():
    generator = LatentGeneratorConfig(kind="dcgan", width=64).build((3, 64, 64), 100)
    assert weights(generator) == 3_576_704
    assert weights(LatentGeneratorConfig(width=64, norm="none").build((3, 64, 64), 100)) != 3_576_704


def test_a_dense_layer_stands_before_the_maps():
    plain, dense = (LatentGeneratorConfig(width=8, dense=width).build((1, 16, 16), 5) for width in (0, 6))
    assert weights(plain) == 5 * 16 * 16 + 2 * 16 + 16 * 8 * 16 + 2 * 8 + 8 * 16
    assert weights(dense) == 5 * 6 + 2 * 6 + 6 * 16 * 16 + weights(plain) - 5 * 16 * 16


def test_goodfellows_mlp_is_counted_by_hand():
    network = LatentGeneratorConfig(kind="mlp", norm="none").build((1, 28, 28), 100)
    assert weights(network) == (100 * 1200 + 1200) + (1200 * 1200 + 1200) + (1200 * 784 + 784)


def test_r3_block_is_counted_by_hand():
    # 1 x 1 to 64 with bias, 3 x 3 in 4 groups of 16 with bias, 1 x 1 back without.
    assert weights(InvertedBottleneck(channels=32, depth=3)) == (32 * 64 + 64) + (9 * 16 * 64 + 64) + 64 * 32


# --- shapes and ranges ---


@every_generator
@pytest.mark.parametrize("classes", [0, 5])
def test_every_generator_makes_its_shape(config, classes):
    network = config.build(PICTURE, 7, classes)
    label = torch.arange(6) % 5 if classes else None
    made = network(torch.randn(6, 7), label)
    assert made.shape == (6, *PICTURE)
    if config.kind != "r3":
        assert made.abs().max() <= 1
    made.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("kind", ["dcgan", "r3"])
@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 1), (64, 3), (128, 5)])
def test_every_power_of_two_and_any_channels(kind, side, channels):
    norm = "none" if kind == "r3" else "batch"
    network = LatentGeneratorConfig(kind=kind, width=8, blocks=1, norm=norm).build((channels, side, side), 3)
    assert network(torch.randn(2, 3)).shape == (2, channels, side, side)


def test_vectors_are_not_bounded():
    network = GENERATORS["mlp"].build(POINTS, 2)
    made = network(100 * torch.randn(50, 2))
    assert made.shape == (50, 2)
    assert made.abs().max() > 5


@every_generator
@pytest.mark.parametrize("embedding", [0, 4])
def test_the_label_changes_what_is_made_and_nothing_else_does(config, embedding):
    network = replace(config, embedding=embedding).build(PICTURE, 7, 5).eval()
    z = torch.randn(1, 7).expand(3, -1)
    first, other, again = network(z, torch.tensor([1, 2, 1]))
    assert (first - other).abs().max() > 1e-4
    torch.testing.assert_close(first, again)


def test_one_hot_labels_are_inputs_of_the_first_layer():
    network = LatentGeneratorConfig(kind="mlp", widths=(), norm="none", embedding=0).build(POINTS, 2, 3)
    linear = network.body[0]
    z, label = torch.randn(4, 2), torch.tensor([0, 2, 1, 2])
    by_hand = functional.linear(torch.cat([z, functional.one_hot(label, 3).float()], dim=1), linear.weight, linear.bias)
    torch.testing.assert_close(network(z, label), by_hand)


def test_batch_norm_is_where_it_was_asked_for():
    def norms(config):
        return sum(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in config.build(PICTURE, 3).modules())

    assert norms(GENERATORS["mlp"]) == norms(GENERATORS["r3"]) == norms(GENERATORS["dcgan nearest"]) == 0
    assert norms(GENERATORS["mlp softplus"]) == 2
    assert norms(GENERATORS["dcgan"]) == 2  # at 4 and 8 px; the picture at 16 px has none


# --- first weights ---


@torch.no_grad()
def test_dcgan_draws_from_a_normal_of_one_fiftieth():
    network = LatentGeneratorConfig(width=16).build((3, 32, 32), 100)
    kernels = [layer.weight for layer in network.modules() if isinstance(layer, nn.ConvTranspose2d | nn.Linear)]
    assert len(kernels) == 4
    assert all(float(kernel.std()) == pytest.approx(0.02, rel=0.03) for kernel in kernels)


@torch.no_grad()
@pytest.mark.parametrize("width", [8, 64])
def test_a_dcgan_without_norm_has_a_signal_at_every_width(width):
    generator = LatentGeneratorConfig(width=width, norm="none").build((8, 32, 32), 50)
    assert 0.3 < float(generator(torch.randn(16, 50)).std()) < 0.9
    encoder = EncoderConfig(width=width, norm="none").build((8, 32, 32), 50)
    assert float(encoder(torch.randn(16, 8, 32, 32)).square().mean()) == pytest.approx(1, rel=0.5)
    # As published, at a width of 8, nothing is left of it.
    initialise(encoder)
    assert float(encoder(torch.randn(16, 8, 32, 32)).square().mean()) < 0.1


@torch.no_grad()
def test_an_mlp_keeps_the_scale_of_its_noise():
    network = LatentGeneratorConfig(kind="mlp", widths=(400,) * 4, norm="none").build((300,), 100)
    assert float(network(torch.randn(500, 100)).square().mean()) == pytest.approx(1, rel=0.25)


def as_the_identity(network):
    """How far the network's residual blocks are from the identity."""
    blocks = [layer for layer in network.modules() if isinstance(layer, InvertedBottleneck)]
    gaps = []
    for block in blocks:
        maps = torch.randn(2, block.residual[0].in_channels, 4, 4)
        gaps.append(float((block(maps) - maps).abs().max().detach()))
    return gaps


def test_every_r3_block_begins_as_the_identity():
    generator = r3_generator(8, (3, 32, 32), width=8, blocks=2)
    trunk = nn.Sequential(*r3_stages((3, 32, 32), width=8, blocks=2)[0])
    for network in (generator, trunk):
        assert as_the_identity(network) == [0.0] * 8  # two at 4, 8, 16 and 32 px
    # A block whose last layer is drawn as others are is no identity.
    last = next(layer for layer in generator.modules() if isinstance(layer, InvertedBottleneck)).residual[-1]
    nn.init.normal_(last.weight, 0.0, last.in_channels**-0.5)
    assert max(as_the_identity(generator)) > 0.1


@torch.no_grad()
@pytest.mark.parametrize("depth", [1, 4, 16])
def test_a_block_of_a_deep_network_adds_one_over_its_depth(depth):
    """Fix-up: were the last layer not 0 but drawn by fan-in, L branches would add a variance of 1 / L each."""
    block = InvertedBottleneck(channels=128, depth=depth)
    last = block.residual[-1]
    nn.init.normal_(last.weight, 0.0, last.in_channels**-0.5)
    # On one pixel the border's zeros would be eight of nine inputs: take the middle of a larger map.
    added = block.residual(torch.randn(8, 128, 9, 9))[..., 2:-2, 2:-2]
    assert float(added.square().mean()) == pytest.approx(1 / depth, rel=0.2)


@torch.no_grad()
def test_r3_keeps_the_variance():
    basis = Basis(inputs=64, channels=512)
    assert float(basis(torch.randn(64, 64)).square().mean()) == pytest.approx(1, rel=0.1)
    stages, size = r3_stages((8, 8, 8), width=256, blocks=1)
    noise = torch.randn(16, 8, 8, 8)
    assert float(stages[0](noise).square().mean()) == pytest.approx(1, rel=0.1)
    summed = stages[-1](torch.randn(16, size, 4, 4))
    assert summed.shape == (16, size)
    assert float(summed.square().mean()) == pytest.approx(1, rel=0.1)


def test_r3_learns_through_its_zeros():
    network = GENERATORS["r3"].build(PICTURE, 7)
    network(torch.randn(4, 7)).square().mean().backward()
    blocks = [layer for layer in network.modules() if isinstance(layer, InvertedBottleneck)]
    assert all(block.residual[-1].weight.grad.abs().max() > 0 for block in blocks)


# --- ONNX ---


def in_onnx_runtime(network, inputs, *others):
    """The graph of `network`, traced at `inputs`, run at `others`: another batch size."""
    batch = tuple({0: torch.export.Dim("batch")} for _ in inputs)
    program = torch.onnx.export(
        network, inputs, dynamo=True, opset_version=18, dynamic_shapes=batch, verbose=False, optimize=True
    )
    file = io.BytesIO()
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return session.run(None, dict(zip(names, (other.numpy() for other in others), strict=True)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["mlp softplus", "dcgan", "r3"])
def test_a_conditional_generator_is_the_same_in_onnx_at_another_batch_size(name):
    network = GENERATORS[name].build((1, 8, 8), 3, 4).eval()
    z, label = torch.randn(5, 3), torch.tensor([3, 0, 1, 2, 3])
    made = in_onnx_runtime(network, (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)), z, label)
    np.testing.assert_allclose(made[0], network(z, label).detach(), atol=1e-5)
    assert np.abs(made[0] - network(z, label.flip(0)).detach().numpy()).max() > 1e-4


@pytest.mark.filterwarnings("ignore")
def test_a_gaussian_encoder_is_the_same_in_onnx():
    network = ENCODERS["dcgan"].build_gaussian((1, 8, 8), 3, 0).eval()
    pictures = torch.rand(5, 1, 8, 8)
    for given, expected in zip(
        in_onnx_runtime(network, (torch.zeros(2, 1, 8, 8),), pictures), network(pictures), strict=True
    ):
        np.testing.assert_allclose(given, expected.detach(), atol=1e-5)


# --- encoders and heads ---


@every_encoder
@pytest.mark.parametrize("classes", [0, 4])
def test_every_encoder_gives_codes(config, classes):
    label = torch.arange(6) % 4 if classes else None
    x = torch.rand(6, *PICTURE)
    assert config.build(PICTURE, 5, classes)(x, label).shape == (6, 5)
    gaussian = config.build_gaussian(PICTURE, 5, classes)
    mean, log_variance = gaussian(x, label)
    assert gaussian.latent == 5
    assert mean.shape == log_variance.shape == (6, 5)
    (mean.sum() + log_variance.sum()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in gaussian.parameters())


def test_an_encoder_of_vectors_reads_the_label():
    network = EncoderConfig(kind="mlp", widths=(16,), norm="none").build(POINTS, 3, 2)
    x = torch.randn(1, 2).expand(2, -1)
    one, other = network(x, torch.tensor([0, 1]))
    assert (one - other).abs().max() > 1e-3


def test_a_linear_classifier_head_is_a_matrix():
    head = ClassifierHead(features=6, classes=3)
    features = torch.randn(4, 6)
    assert weights(head) == 6 * 3 + 3
    torch.testing.assert_close(head(features), features @ head.layers[0].weight.T + head.layers[0].bias)


def test_a_code_head_cuts_its_outputs_in_order():
    head = CodeHead(features=6, categorical=(10, 2), continuous=3, widths=(8,))
    features = torch.randn(4, 6)
    codes = head(features)
    assert [logits.shape for logits in codes.categorical] == [(4, 10), (4, 2)]
    assert codes.continuous.shape == (4, 3)
    assert torch.equal(torch.cat([*codes.categorical, codes.continuous], dim=1), head.layers(features))
    assert CodeHead(features=6, categorical=(), continuous=1)(features).categorical == ()
    assert CodeHead(features=6, categorical=(2,), continuous=0)(features).continuous.shape == (4, 0)


# --- shapes and refusals ---


def test_shapes():
    assert (numel((3, 4, 5)), numel((7,))) == (60, 7)
    assert (is_picture((1, 2, 3)), is_picture((9,))) == (True, False)
    assert [doublings((1, side, side), "dcgan") for side in (8, 16, 32, 64, 256)] == [1, 2, 3, 4, 6]


@pytest.mark.parametrize("kind", ["dcgan", "r3"])
@pytest.mark.parametrize("make", [lambda **o: LatentGeneratorConfig(**o), lambda **o: EncoderConfig(**o)])
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 28, 28), "28 x 28 px.*32 px"),
        ((1, 4, 4), "8 px"),
        ((1, 16, 32), "squares"),
        ((2,), "vectors of 2.*mlp"),
        ((3, 4), "neither"),
    ],
)
def test_shapes_that_cannot_be_are_refused(kind, make, shape, words):
    with pytest.raises(ConfigurationError, match=words):
        make(kind=kind, norm="none").build(shape, 3)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: LatentGeneratorConfig(kind="gan").build(PICTURE, 3), "dcgan"),
        (lambda: LatentGeneratorConfig(kind="r3").build(PICTURE, 3), "norm none"),
        (lambda: LatentGeneratorConfig(kind="r3", norm="none", width=12).build(PICTURE, 3), "multiples of 8"),
        (lambda: LatentGeneratorConfig(resampling="cubic").build(PICTURE, 3), "nearest"),
        (lambda: LatentGeneratorConfig(kind="mlp", activation="gelu").build(PICTURE, 3), "softplus"),
        (lambda: LatentGeneratorConfig().build(PICTURE, 0), "latent"),
        (lambda: LatentGeneratorConfig().build(PICTURE, 3, 1), "classes"),
        (lambda: LatentGeneratorConfig(width=2).build(PICTURE, 3, 4)(torch.zeros(2, 3)), "4 classes"),
        (lambda: LatentGeneratorConfig(width=2).build(PICTURE, 3)(torch.zeros(2, 3), torch.zeros(2).long()), "without"),
        (lambda: ENCODERS["mlp"].build(PICTURE, 3, 4)(torch.zeros(2, *PICTURE)), "4 classes"),
        (lambda: CodeHead(features=3, categorical=(), continuous=0), "code"),
    ],
)
def test_what_cannot_be_built_or_called_is_refused(build, words):
    with pytest.raises(ConfigurationError, match=words):
        build()
