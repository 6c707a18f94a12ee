"""Discriminators that look through a frozen network: against a rewrite by hand, and never trained, saved or needed."""

import copy
import json
from dataclasses import replace
from functools import partial

import pytest
import torch
from tiny import batch_of, drawing, projected, small, tiny_engine, tiny_method, tiny_recipe
from torch import nn
from torch.nn import functional

from pipelines.trained import config_class
from pipelines.training.session import build_method
from translate.card import LabelMap, Picture
from translate.checkpoint import restore_engine, snapshot_of
from translate.data.augmentation import Augmentation
from translate.errors import ConfigurationError, ModelError
from translate.losses.penalty import wgan_gp_penalty, zero_centred_penalty
from translate.method import Batch
from translate.networks.backbones import BACKBONES, LossBackbone
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.efficientnet import EfficientNetLite
from translate.networks.joint import JointDiscriminator
from translate.networks.mixing import FixedConvolution, RandomMixing
from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.projected import CHANNELS, ProjectedDiscriminator
from translate.recipe import from_json, to_json
from translate.storage.snapshot import Snapshot

pytestmark = pytest.mark.usefixtures("seeded")

RGB = Picture(name="b", channels=3)
PAIR = (Picture(name="a", channels=3), RGB)
KINDS = ("projected", "patch+projected")


@pytest.fixture(scope="module")
def lite0():
    return EfficientNetLite(variant="lite0")


def built(kind="projected", ports=(RGB,), batch_size=2, **options):
    config = DiscriminatorConfig(kind=kind, **({"width": 2, "layers": 1, "norm": "none"} | options))
    return config.build(sum(port.channels for port in ports), batch_size=batch_size, ports=ports)


def photographs(count=2, size_px=64):
    augmentation = Augmentation(load_px=size_px, crop_px=size_px)
    return batch_of(tiny_recipe("pix2pix", augmentation=augmentation, batch_size=count))


# What it computes


def by_hand(network, maps_of_each):
    """The scores from the frozen maps of each picture of the sample, without the classes under test."""
    columns = []
    for maps in maps_of_each:
        weights = [layer.weight for layer in network.mixing.across_channels]
        mixed = [functional.conv2d(one / 10, weight) for one, weight in zip(maps[1:5], weights, strict=True)]
        for scale in (2, 1, 0):
            coarse = functional.conv2d(mixed[scale + 1], network.mixing.across_scales[scale].weight, padding=1)
            size = mixed[scale].shape[2:]
            mixed[scale] = mixed[scale] + functional.interpolate(coarse, size=size, mode="bilinear")
        columns.append(mixed)
    scores = []
    for head, *mixed in zip(network.heads, *columns, strict=True):
        first, last = head[0][0], head[1]
        hidden = functional.conv2d(torch.cat(mixed, dim=1), first.weight, first.bias, padding=1)
        scores.append(functional.conv2d(functional.leaky_relu(hidden, 0.2), last.weight, last.bias, padding=1))
    return scores


@pytest.mark.parametrize(("height_px", "width_px"), [(64, 64), (75, 101)])
def test_scores_are_heads_on_mixed_frozen_features_of_both_pictures(lite0, height_px, width_px):
    network = built(ports=PAIR)
    a, b = torch.rand(2, 2, 3, height_px, width_px) * 2 - 1
    expected = by_hand(network, [lite0(a), lite0(b)])
    scores = network(torch.cat([a, b], dim=1))
    for got, truth in zip(scores, expected, strict=True):
        torch.testing.assert_close(got, truth)
    assert [tuple(one.shape[2:]) for one in scores] == [
        (-(-height_px // step), -(-width_px // step)) for step in (4, 8, 16, 32)
    ]
    swapped = network(torch.cat([b, a], dim=1))
    assert not any(torch.allclose(one, other) for one, other in zip(scores, swapped, strict=True))


@pytest.mark.parametrize("heads", [1, 4])
def test_it_trains_at_its_least_size_whatever_the_norm(heads):
    for norm, spectral_norm in (("instance", True), ("instance-affine", False), ("batch", True), ("none", False)):
        network = built(heads=heads, norm=norm, spectral_norm=spectral_norm)
        least = network.at_least_px
        scores = network(torch.randn(2, 3, least, least))
        assert len(scores) == heads
        sum(one.square().mean() for one in scores).backward()
        assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    with pytest.raises(ValueError, match="more than 1 spatial"):
        built(heads=heads, norm="instance")(torch.randn(2, 3, least // 2, least // 2))


def test_frozen_maps_have_the_channels_and_the_spread_that_heads_are_made_for(lite0):
    maps = lite0(photographs()["b"])[1:]
    assert tuple(one.shape[1] for one in maps) == CHANNELS
    assert all(3 < float(one.std()) < 15 for one in maps)


@pytest.mark.parametrize("kind", KINDS)
def test_features_end_with_the_scores(kind):
    network = built(kind, ports=PAIR, width=3)
    pictures = torch.randn(2, 6, 64, 64)
    features = network.features(pictures)
    assert all(torch.equal(maps[-1], one) for maps, one in zip(features, network(pictures), strict=True))
    assert [tuple(maps.shape[1] for maps in head) for head in features[-4:]] == [(3, 1)] * 4


def test_a_joint_discriminator_is_its_parts():
    network = built("patch+projected", ports=PAIR, scales=2)
    pictures = torch.randn(2, 6, 64, 64)
    patch, frozen = network.parts
    assert isinstance(patch, MultiScaleDiscriminator)
    assert isinstance(frozen, ProjectedDiscriminator)
    expected = [*patch(pictures), *frozen(pictures)]
    assert len(expected) == 2 + 4
    assert all(torch.equal(one, other) for one, other in zip(network(pictures), expected, strict=True))
    assert network.at_least_px == max(patch.at_least_px, frozen.at_least_px) == 64


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_rgb_and_rgba_are_seen_and_teach_every_channel(channels):
    network = built(ports=(Picture(name="a", channels=1), Picture(name="b", channels=channels)), width=8)
    pictures = (torch.rand(1, 1 + channels, 64, 64) * 2 - 1).requires_grad_()
    sum(one.mean() for one in network(pictures)).backward()
    assert bool((pictures.grad.flatten(2).abs().amax(dim=2) > 0).all())


def test_mixing_keeps_variance_on_average():
    maps = [torch.randn(4, 64, 16, 16)]
    mixed = RandomMixing(inputs=[64], width=64)(maps)
    assert float(mixed[0].std()) == pytest.approx(1.0, abs=0.05)
    assert float(FixedConvolution(64, 64, kernel=3)(maps[0])[..., 1:-1, 1:-1].std()) == pytest.approx(1.0, abs=0.05)


# Frozen: what no optimiser, checkpoint or random state may notice


def frozen_bits(network):
    look = network._backbone
    return copy.deepcopy(dict(look._network.named_buffers()))


def test_nothing_frozen_is_a_parameter_or_in_the_state():
    network = built(width=2)
    before = dict.fromkeys(network.state_dict())
    trained = {name for name, _ in network.named_parameters()}
    network(torch.randn(2, 3, 64, 64))
    assert dict.fromkeys(network.state_dict()) == before
    assert {name.partition(".")[0] for name in before} == {"mixing", "heads"}
    assert {name.partition(".")[0] for name in trained} == {"heads"}
    assert len(frozen_bits(network)) > 100, "the broken control: a backbone that is a child is in all of these"
    network.child = network._backbone._network
    assert len(list(network.named_buffers())) > 100


def test_training_mode_reaches_no_frozen_norm():
    network = built().train()
    network(torch.randn(2, 3, 64, 64))
    before = frozen_bits(network)
    network.train()(3 * torch.randn(4, 3, 64, 64))
    assert not any(layer.training for layer in network._backbone._network.modules())
    assert all(torch.equal(value, before[name]) for name, value in frozen_bits(network).items())
    live = nn.BatchNorm2d(3).train()
    live(torch.randn(2, 3, 4, 4))
    assert int(live.num_batches_tracked) == 1, "the control: a live norm moves"


def test_looking_for_the_first_time_draws_no_random_number():
    network, pictures = built(), torch.randn(2, 3, 64, 64)
    random = torch.get_rng_state()
    network(pictures)
    assert torch.equal(torch.get_rng_state(), random)


def test_gradients_reach_the_pictures_and_leave_the_mixing_alone():
    network = built().requires_grad_(False)
    pictures = torch.randn(2, 3, 64, 64, requires_grad=True)
    sum(one.mean() for one in network(pictures)).backward()
    assert float(pictures.grad.abs().max()) > 0
    assert not any(tensor.requires_grad for tensor in network.mixing.state_dict(keep_vars=True).values())


@pytest.mark.parametrize("looked", [False, True])
def test_a_copy_scores_alike_and_follows_its_own_device(looked):
    network, pictures = built("patch+projected"), torch.randn(2, 3, 64, 64)
    if looked:
        network(pictures)
    twin = copy.deepcopy(network)
    assert all(torch.equal(one, other) for one, other in zip(network(pictures), twin(pictures), strict=True))
    assert all(one.is_meta for one in twin.to("meta")(pictures.to("meta")))
    assert not any(one.is_meta for one in network(pictures))


def test_a_method_that_is_only_run_needs_no_frozen_network(monkeypatch):
    def refuse():
        raise ConfigurationError("no weights here")

    monkeypatch.setitem(BACKBONES, "efficientnet-lite0", LossBackbone(build=refuse, weights=(0.2,) * 5))
    for name in ("pix2pix", "cyclegan"):
        recipe = tiny_recipe(name, projected)
        method = tiny_method(recipe)
        for deploy in method.deploys().values():
            assert deploy.module(batch_of(recipe)["a"])[0].isfinite().all()
        with pytest.raises(ConfigurationError, match="no weights here"):
            method.scores(Batch(batch_of(recipe)))


@pytest.mark.parametrize("penalty", [zero_centred_penalty, lambda d, x: wgan_gp_penalty(d, x, -x)])
def test_penalties_differentiate_twice_through_the_frozen_network(penalty):
    network = built("patch+projected", width=4)
    penalty(network, torch.randn(2, 3, 64, 64)).backward()
    slopes = [parameter.grad for name, parameter in network.named_parameters() if name.endswith("weight")]
    assert all(bool(slope.isfinite().all()) and float(slope.abs().max()) > 0 for slope in slopes)


def test_compiled_gradients_equal_those_of_eager():
    network = built("patch+projected", width=4)
    pictures = torch.randn(2, 3, 64, 64)

    def gradients(run):
        made = pictures.clone().requires_grad_()
        return torch.autograd.grad(sum(one.square().mean() for one in run(made)), [made, *network.parameters()])

    compiled = gradients(torch.compile(network.forward, backend="eager"))
    for got, expected in zip(compiled, gradients(network), strict=True):
        torch.testing.assert_close(got, expected)


# In a run


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize("kind", KINDS)
def test_heads_learn_to_tell_real_from_made_while_all_that_is_frozen_stays(name, kind):
    recipe = tiny_recipe(name, lambda part: replace(projected(part), **kind_of(part, kind)))
    recipe = replace(recipe, optimisers={key: replace(adam, learning_rate=2e-3) for key, adam in optimisers(recipe)})
    engine = tiny_engine(recipe)
    judges = {key: net for key, net in engine.networks.items() if key.startswith("discriminator")}
    engine.turns = tuple(turn for turn in engine.turns if turn.name in judges)
    mixing = {key: copy.deepcopy(buffers(net)) for key, net in judges.items()}
    for _ in range(30):
        engine.play(drawing(recipe))
    with torch.no_grad():
        scored = engine.method.scores(Batch(batch_of(recipe)))
    for key, network in judges.items():
        real, fake = scored[key].real[-3:], scored[key].fake[-3:]
        assert all(float(one.mean()) > float(other.mean()) + 0.1 for one, other in zip(real, fake, strict=True))
        assert all(torch.equal(value, mixing[key][where]) for where, value in buffers(network).items())


def kind_of(part, kind):
    return {"kind": kind, "norm": "none"} if isinstance(part, DiscriminatorConfig) else {}


def optimisers(recipe):
    return recipe.optimisers.items()


def buffers(network):
    return {key: value for key, value in network.named_buffers() if "mixing" in key}


def test_the_mixing_is_in_the_checkpoint_and_a_checkpoint_without_it_is_refused():
    recipe = tiny_recipe("pix2pix", projected)
    one, other = tiny_engine(recipe, seed=1), tiny_engine(recipe, seed=2)
    drawn = buffers(one.method)
    assert not any(torch.equal(value, buffers(other.method)[key]) for key, value in drawn.items())
    snapshot = snapshot_of(one, {})
    restore_engine(other, snapshot)
    assert all(torch.equal(value, buffers(other.method)[key]) for key, value in drawn.items())
    networks = {key: value for key, value in snapshot.tensors["networks"].items() if "mixing" not in key}
    poorer = Snapshot(tensors={**snapshot.tensors, "networks": networks}, documents=snapshot.documents)
    with pytest.raises(ModelError, match="mixing"):
        restore_engine(tiny_engine(recipe), poorer)


def test_heads_look_at_pictures_and_leave_label_maps_to_the_patches():
    network = built("patch+projected", ports=(LabelMap(name="a", classes=5), RGB))
    pictures = torch.randn(2, 8, 64, 64)
    other_labels = torch.cat([-pictures[:, :5], pictures[:, 5:]], dim=1)
    other_picture = torch.cat([pictures[:, :5], -pictures[:, 5:]], dim=1)
    same = [
        [torch.equal(one, other) for one, other in zip(network(pictures), network(changed), strict=True)]
        for changed in (other_labels, other_picture)
    ]
    assert same == [[False, True, True, True, True], [False] * 5]


# As configuration


def test_the_patch_kind_is_what_it_was():
    network = DiscriminatorConfig().build(6, batch_size=4)
    assert isinstance(network, MultiScaleDiscriminator)
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_768_705
    assert DiscriminatorConfig().build(7, batch_size=4, ports=(LabelMap(name="a", classes=4), RGB)).at_least_px == 24


@pytest.mark.parametrize(("kind", "found"), [("projected", ProjectedDiscriminator), (KINDS[1], JointDiscriminator)])
def test_options_of_the_config_reach_the_heads(kind, found):
    network = built(kind, width=5, heads=2, norm="batch", spectral_norm=True)
    assert isinstance(network, found)
    frozen = network if found is ProjectedDiscriminator else network.parts[1]
    assert frozen.mixing.widths == [5, 10]
    assert [type(layer) for head in frozen.heads for layer in head[0][1:2]] == [nn.BatchNorm2d] * 2
    assert all(hasattr(head[1], "parametrizations") for head in frozen.heads)
    alone = built(kind, norm="batch", batch_size=1)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in alone.modules()), "batch norm of one sample"


def test_a_recipe_written_before_there_were_kinds_means_patches():
    recipe = tiny_recipe("pix2pix", small)
    document = json.loads(to_json(recipe))
    assert {document["config"]["discriminator"].pop(key) for key in ("kind", "heads")} == {"patch", 4}
    assert from_json(json.dumps(document), config_class) == recipe
    chosen = tiny_recipe("cyclegan", projected)
    assert from_json(to_json(chosen), config_class) == chosen
    with pytest.raises(ConfigurationError, match="kind"):
        from_json(to_json(chosen).replace("patch+projected", "projekted"), config_class)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (partial(built, heads=0), r"heads is 0: choose 1 to 4"),
        (partial(built, heads=5), r"heads is 5: choose 1 to 4"),
        (partial(built, ports=(RGB, LabelMap(name="b", classes=3))), r"label_map of 3 channels.*kind patch"),
        (partial(built, KINDS[1], ports=(RGB, LabelMap(name="b", classes=4))), r"label_map of 4 channels.*kind patch"),
        (partial(built, ports=(LabelMap(name="a", classes=3), RGB)), r"label maps beside.*patch\+projected"),
        (partial(DiscriminatorConfig(kind="projected").build, 5, batch_size=1), r"picture of 5 channels.*kind patch"),
        (partial(built, "both"), r"--config.discriminator.kind 'both' is unknown: use one of patch, unet, projected"),
    ],
)
def test_what_cannot_be_is_refused_with_the_option(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_crops_too_small_for_all_heads_are_refused_and_fewer_heads_help():
    recipe = tiny_recipe("pix2pix", projected)
    build_method(recipe)
    more = replace(recipe.config, discriminator=replace(recipe.config.discriminator, heads=4))
    with pytest.raises(ConfigurationError, match=r"at least 64 px.*heads"):
        build_method(replace(recipe, config=more))
