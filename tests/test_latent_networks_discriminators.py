"""Discriminators of whole samples against published counts, closed forms, reference formulas and broken variants."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from small_networks import weights
from torch import nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.networks.class_discriminators import ClassifierDiscriminatorConfig
from translate.networks.crowds import MinibatchDeviation, MinibatchDiscrimination
from translate.networks.dense import Maxout
from translate.networks.disturbance import GaussianNoise
from translate.networks.labels import beside
from translate.networks.packing import packed
from translate.networks.sample_discriminators import SampleDiscriminatorConfig

pytestmark = pytest.mark.usefixtures("seeded")

PICTURE, POINTS = (3, 16, 16), (2,)
KINDS = {
    "mlp": SampleDiscriminatorConfig(kind="mlp", widths=(12, 9), norm="none"),
    "maxout": SampleDiscriminatorConfig(kind="maxout", widths=(12, 9), norm="none"),
    "dcgan": SampleDiscriminatorConfig(width=4, norm="none"),
    "r3": SampleDiscriminatorConfig(kind="r3", width=8, blocks=1, norm="none"),
    "conv": SampleDiscriminatorConfig(kind="conv", width=4, norm="none"),
    "dcgan dense": SampleDiscriminatorConfig(width=4, norm="none", dense=6),
}
every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


# --- counts and formulas ---


def test_dcgan_has_as_many_weights_as_published():
    assert weights(SampleDiscriminatorConfig(width=64).build((3, 64, 64))) == 2_765_568
    assert weights(SampleDiscriminatorConfig(width=64, norm="none").build((3, 64, 64))) != 2_765_568


def test_a_dense_layer_makes_features_of_the_whole_sample():
    plain, dense = (SampleDiscriminatorConfig(width=8, dense=width).build((1, 16, 16)) for width in (0, 6))
    assert (plain.feature_size, dense.feature_size) == (16 * 16, 6)
    assert weights(dense) == weights(plain) - 16 * 16 + 16 * 16 * 6 + 2 * 6 + 6
    assert dense.features(torch.randn(4, 1, 16, 16)).shape == (4, 6)


def test_goodfellows_maxout_is_counted_by_hand():
    network = SampleDiscriminatorConfig(kind="maxout", norm="none").build((1, 28, 28))
    assert weights(network) == (784 + 1) * 240 * 5 + (240 + 1) * 240 * 5 + 240 + 1


def test_maxout_is_the_largest_of_its_pieces():
    layer = Maxout(inputs=4, outputs=3, pieces=5)
    x = torch.randn(7, 4)
    pieces = layer.linear.weight.detach().reshape(3, 5, 4), layer.linear.bias.detach().reshape(3, 5)
    expected = np.empty((7, 3), dtype=np.float32)
    for sample in range(7):
        for unit in range(3):
            expected[sample, unit] = max(
                float(x[sample] @ pieces[0][unit, piece] + pieces[1][unit, piece]) for piece in range(5)
            )
    np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-6)


def test_two_pieces_are_enough_for_the_absolute_value():
    layer = Maxout(inputs=1, outputs=1, pieces=2)
    with torch.no_grad():
        layer.linear.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    x = torch.linspace(-2, 2, 9)[:, None]
    assert torch.equal(layer(x), x.abs())


def test_the_projection_is_the_formula():
    network = replace(KINDS["dcgan"], condition="projection").build(PICTURE, 5)
    x, label = torch.rand(6, *PICTURE), torch.tensor([0, 4, 2, 2, 1, 3])
    features = network.features(x, label)
    linear = network.last[-1]
    by_hand = features @ linear.weight[0] + linear.bias + (network.projection.weight[label] * features).sum(dim=1)
    torch.testing.assert_close(network(x, label), by_hand)
    # What projects does not change the features; a label beside the sample does.
    assert torch.equal(features, network.features(x, label.flip(0)))
    beside = KINDS["dcgan"].build(PICTURE, 5)
    assert (beside.features(x, label) - beside.features(x, label.flip(0))).abs().max() > 1e-4


def test_minibatch_discrimination_is_the_papers_sum():
    layer = MinibatchDiscrimination(features=6, kernels=4, dimensions=3)
    features = torch.randn(5, 6)
    given = layer(features).detach().numpy()
    matrices = np.einsum("nf,fbc->nbc", features.numpy(), layer.tensor.detach().numpy())
    for kernel in range(4):
        distances = cdist(matrices[:, kernel], matrices[:, kernel], metric="cityblock")
        np.testing.assert_allclose(given[:, 6 + kernel], np.exp(-distances).sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(given[:, :6], features)


def test_minibatch_discrimination_sees_a_collapse():
    layer = MinibatchDiscrimination(features=6, kernels=4)
    torch.testing.assert_close(layer(torch.randn(1, 6).expand(8, -1))[:, 6:], torch.full((8, 4), 8.0))
    assert layer(torch.randn(8, 6))[:, 6:].max() < 7


@pytest.mark.parametrize(("samples", "group", "size"), [(8, 4, 4), (8, 0, 8), (6, 4, 6), (3, 1, 1)])
def test_minibatch_deviation_is_its_closed_form(samples, group, size):
    features = torch.randn(samples, 5)
    given = MinibatchDeviation(group=group)(features).numpy()
    step = samples // size
    for sample in range(samples):
        members = features.numpy()[sample % step :: step]
        assert len(members) == size
        assert given[sample, 5] == pytest.approx(members.std(axis=0).mean(), abs=2e-4)


def test_minibatch_deviation_of_one_sample_many_times_has_a_gradient():
    features = torch.ones(4, 5, requires_grad=True)
    MinibatchDeviation()(features)[:, 5].sum().backward()
    assert features.grad.isfinite().all()


# --- scores and features ---


@pytest.mark.parametrize(
    ("config", "shape"),
    [*((config, PICTURE) for config in KINDS.values()), (KINDS["mlp"], POINTS), (KINDS["maxout"], POINTS)],
    ids=[*KINDS, "mlp points", "maxout points"],
)
@pytest.mark.parametrize("crowd", ["none", "discrimination", "deviation"])
@pytest.mark.parametrize("condition", ["unconditional", "concatenate", "projection"])
def test_one_score_a_sample(config, shape, crowd, condition):
    classes = 0 if condition == "unconditional" else 4
    conditions = {"condition": condition} if classes else {}
    network = replace(config, crowd=crowd, embedding=3, **conditions).build(shape, classes)
    x, label = torch.randn(6, *shape), torch.arange(6) % 4 if classes else None
    scores, features = network(x, label), network.features(x, label)
    assert scores.shape == (6,)
    assert features.shape == (6, network.feature_size)
    torch.testing.assert_close(network.score(features, label), scores)
    assert scores.std() > 0
    if classes:
        assert (network(x, (label + 1) % 4) - scores).abs().max() > 1e-5


def independence_gap(network, shape):
    """How much a sample's score depends on who else is in its batch."""
    x = torch.randn(8, *shape)
    others = torch.cat([x[:1], 3 * torch.randn(7, *shape)])
    return float((network.train()(x)[0] - network.train()(others)[0]).abs().detach())


@every_kind
def test_a_sample_is_judged_by_itself(config):
    assert independence_gap(config.build(PICTURE), PICTURE) < 1e-5


@pytest.mark.parametrize("change", [{"norm": "batch"}, {"crowd": "discrimination"}, {"crowd": "deviation"}], ids=str)
def test_what_mixes_samples_is_seen_to_mix(change):
    assert independence_gap(replace(KINDS["dcgan"], **change).build(PICTURE), PICTURE) > 1e-4


@every_kind
@pytest.mark.parametrize("crowd", ["none", "discrimination", "deviation"])
def test_gradient_penalties_can_differentiate_twice(config, crowd):
    network = replace(config, crowd=crowd).build(PICTURE)
    x = torch.randn(4, *PICTURE, requires_grad=True)
    gradient = torch.autograd.grad(network(x).sum(), x, create_graph=True)[0]
    gradient.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)


@every_kind
def test_is_captured_in_one_graph(config):
    network = replace(config, crowd="deviation", packing=2).build(PICTURE, 3).eval()
    x, label = torch.randn(4, *PICTURE), torch.tensor([0, 1, 2, 0])
    captured = torch.compile(network, backend="eager", fullgraph=True)
    torch.testing.assert_close(captured(x, label), network(x, label))


def test_codes_stand_behind_the_channels_the_same_at_every_pixel():
    code = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert beside(torch.zeros(2, 1), code).tolist() == [[0, 1, 2], [0, 3, 4]]
    maps = beside(torch.zeros(2, 1, 4, 5), code)
    assert maps.shape == (2, 3, 4, 5)
    assert torch.equal(maps, torch.tensor([[0.0, 1, 2], [0, 3, 4]])[:, :, None, None].expand(2, 3, 4, 5))


# --- packing ---


def test_packs_are_neighbours_one_behind_the_other():
    x = torch.arange(4 * 2 * 3 * 3.0).reshape(4, 2, 3, 3)
    assert torch.equal(packed(x, 2), torch.stack([torch.cat([x[0], x[1]]), torch.cat([x[2], x[3]])]))
    points = torch.arange(12.0).reshape(6, 2)
    assert packed(points, 3).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert torch.equal(packed(x, 1), x)


@every_kind
@pytest.mark.parametrize("condition", ["concatenate", "projection"])
def test_a_pack_has_one_score(config, condition):
    network = replace(config, packing=2, condition=condition, embedding=3).build(PICTURE, 4)
    x, label = torch.randn(6, *PICTURE), torch.tensor([0, 1, 2, 3, 0, 1])
    scores = network(x, label)
    assert scores.shape == (3,)
    changed = x.clone()
    changed[3] += 1
    # Sample 3 is in the pack of 2 and 3.
    assert (network(changed, label) != scores).tolist() == [False, True, False]
    relabelled = label.clone()
    relabelled[5] = 3
    assert (network(x, relabelled) != scores).tolist() == [False, False, True]


# --- bounds on weights, noise, dropout ---


def largest_singular_values(network):
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)]
    return [float(torch.linalg.matrix_norm(layer.weight.flatten(1), 2).detach()) for layer in layers]


@pytest.mark.parametrize("kind", ["mlp", "maxout", "dcgan", "conv"])
def test_spectral_norm_bounds_every_layer(kind):
    config = replace(KINDS[kind], condition="projection")
    bounded = config.build(PICTURE, 4)
    assert not all(value == pytest.approx(1, abs=0.02) for value in largest_singular_values(bounded))
    bounded = replace(config, norm="spectral").build(PICTURE, 4)
    for _ in range(100):
        bounded(torch.randn(2, *PICTURE), torch.tensor([0, 1]))
    values = largest_singular_values(bounded)
    assert len(values) >= 4
    assert values == pytest.approx([1.0] * len(values), abs=0.02)


@pytest.mark.parametrize("kind", ["mlp", "maxout", "dcgan", "conv"])
def test_weight_norm_begins_as_the_same_function_and_learns_lengths(kind):
    torch.manual_seed(1)
    plain = KINDS[kind].build(PICTURE)
    torch.manual_seed(1)
    apart = replace(KINDS[kind], norm="weight").build(PICTURE)
    x = torch.randn(3, *PICTURE)
    torch.testing.assert_close(apart(x), plain(x))
    linear = apart.last[-1]
    with torch.no_grad():
        linear.parametrizations.weight.original1.mul_(7)  # a direction's length does not count
        torch.testing.assert_close(apart(x), plain(x))
        linear.parametrizations.weight.original0.mul_(2)
        linear.bias.zero_()
        torch.testing.assert_close(apart(x), 2 * (plain(x) - plain.last[-1].bias))


def test_noise_is_there_in_training_alone():
    layer = GaussianNoise(sigma=0.5)
    x = torch.zeros(20_000)
    assert float(layer(x).std()) == pytest.approx(0.5, rel=0.02)
    assert torch.equal(layer.eval()(x), x)


@every_kind
@pytest.mark.parametrize("option", ["input_noise", "noise", "input_dropout", "dropout"])
def test_every_disturbance_disturbs_in_training_alone(config, option):
    network = replace(config, **{option: 0.5}).build(PICTURE)
    x = torch.randn(2, *PICTURE)
    assert (network(x) != network(x)).any()
    calm = config.build(PICTURE)
    assert torch.equal(calm(x), calm(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_features_come_before_the_last_disturbance():
    network = replace(KINDS["mlp"], widths=(12,), noise=0.5).build(POINTS)
    x = torch.randn(3, 2)
    assert torch.equal(network.features(x), network.features(x))
    assert (network(x) != network(x)).any()


# --- the discriminator that classifies ---


def test_the_published_classifier_is_counted_by_hand():
    network = ClassifierDiscriminatorConfig().build((1, 28, 28), 10)
    widths = [784, 1000, 500, 250, 250, 250, 10]
    # Weight norm adds a length for every output.
    by_hand = sum(given * made + 2 * made for given, made in itertools.pairwise(widths))
    assert weights(network) == by_hand
    sigmas = [layer.sigma for layer in network.modules() if isinstance(layer, GaussianNoise)]
    assert sigmas == [0.3] + [0.5] * 5


@pytest.mark.parametrize("shape", [(3, 12, 12), (1, 28, 28), (3, 32, 32)])
def test_the_convolutional_classifier_takes_any_size(shape):
    network = ClassifierDiscriminatorConfig(kind="conv", width=4, noise=0.0, dropout=0.5).build(shape, 7)
    x = torch.rand(3, *shape)
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.modules()) == 9
    assert sum(isinstance(layer, nn.Dropout) for layer in network.modules()) == 3
    network.eval()
    assert network(x).shape == (3, 7)
    assert network.features(x).shape == (3, network.feature_size) == (3, 8)
    linear = network.last[-1]
    torch.testing.assert_close(network(x), functional.linear(network.features(x), linear.weight, linear.bias))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: SampleDiscriminatorConfig(kind="patch").build(PICTURE), "dcgan"),
        (lambda: SampleDiscriminatorConfig(kind="r3").build(PICTURE), "norm none"),
        (lambda: SampleDiscriminatorConfig(kind="r3", norm="spectral").build(PICTURE), "norm none"),
        (lambda: SampleDiscriminatorConfig(kind="maxout").build(PICTURE), "spectral or weight"),
        (lambda: SampleDiscriminatorConfig(crowd="people").build(PICTURE), "deviation"),
        (lambda: SampleDiscriminatorConfig(condition="sum").build(PICTURE), "projection"),
        (lambda: SampleDiscriminatorConfig(packing=0).build(PICTURE), "packing"),
        (lambda: SampleDiscriminatorConfig(condition="projection").build(PICTURE, 1), "classes"),
        (lambda: replace(KINDS["dcgan"], packing=2).build(PICTURE)(torch.rand(3, *PICTURE)), "multiple of packing"),
        (lambda: KINDS["mlp"].build(POINTS, 4)(torch.rand(3, 2)), "4 classes"),
        (lambda: KINDS["mlp"].build(POINTS)(torch.rand(3, 2), torch.zeros(3).long()), "without classes"),
        (lambda: ClassifierDiscriminatorConfig(kind="conv").build((1, 8, 8), 10), "12 px"),
        (lambda: ClassifierDiscriminatorConfig(kind="conv").build(POINTS, 10), "vectors"),
    ],
)
def test_what_cannot_be_built_or_called_is_refused(build, words):
    with pytest.raises(ConfigurationError, match=words):
        build()
