"""An exported graph computes what the network does, over nets, norms, sizes, batches and seeds."""

import time
from dataclasses import replace

import pytest
import torch
from exported_nets import NETS, card_for, described, exported, methods_deploys, net, samples, torch_runtime
from tiny import RECIPES, for_any_ports, noisy, photographed, small

import translate.runtime.session
from pipelines.methods import method_names
from translate.card import LabelMap, Picture
from translate.errors import ModelError
from translate.export.bars import BARS
from translate.export.graph import check, to_onnx
from translate.export.proof import proof_sizes, prove, prove_rows
from translate.export.session import ProtoRuntime
from translate.networks.initialise import initialise
from translate.networks.resnet import ResNet
from translate.runtime.rows import drawn
from translate.runtime.statistics import with_stepwise_bytes, with_stepwise_statistics

pytestmark = pytest.mark.usefixtures("one_thread")

ODD_PRIME = (101, 103)
SMALL_SIZES = [(64, 64), (128, 96), (260, 132), ODD_PRIME]
LARGE_SIZES = [(512, 512), (1021, 767)]
QUICK = ["resnet instance blur", "compact x2"]
AT_LARGE_SIZES = {"difference of resnet": replace(BARS["fp32"], difference=2e-4)}
"""Of some pictures of 1021 x 767 px: what it adds to its input is up to 2, and so the rounding (1.41e-4 seen)."""


@pytest.mark.parametrize("name", QUICK)
def test_nets_agree_at_least_usual_and_odd_sizes_alone_and_in_a_batch(name):
    deploy, card, model = exported(name)
    parity = prove(
        ProtoRuntime(model, card), torch_runtime(deploy, card), samples(), proof_sizes(card.inputs[0].size, 64)
    )
    assert 0.0 < parity.agreement.difference <= 1e-4
    assert parity.agreement.values > 0


def proven_at_small_sizes(deploy):
    card = replace(card_for(deploy), task=deploy.task)
    if not card.takes_pictures:
        rows = drawn(card.inputs, 5, seed=1)
        return prove_rows(ProtoRuntime(to_onnx(deploy, card), card), torch_runtime(deploy, card), rows)
    pictures = [{port.name: photographed(port, place, 20, 60) for port in card.inputs} for place in (0, 20, 40)]
    sizes = [(card.inputs[0].size.at_least_px,) * 2, (33, 41)]
    return prove(ProtoRuntime(to_onnx(deploy, card), card), torch_runtime(deploy, card), pictures, sizes)


@pytest.mark.parametrize("name", method_names())
def test_every_deploy_of_every_method_agrees(name):
    for deploy in methods_deploys(name).values():
        assert proven_at_small_sizes(deploy).agreement.difference > 0.0


def test_several_ports_and_label_maps_agree():
    (deploy, *_) = methods_deploys("pix2pix", for_any_ports, a=("rgb", "labels:3"), b=("grey", "labels:4")).values()
    assert [type(port) for port in deploy.outputs] == [Picture, LabelMap]
    assert proven_at_small_sizes(deploy).agreement.difference > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("shrink", [small, noisy])
@pytest.mark.parametrize("name", RECIPES)
def test_every_deploy_of_every_recipe_agrees(name, shrink):
    for deploy in methods_deploys(name, shrink).values():
        assert proven_at_small_sizes(deploy).agreement.difference > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NETS)
def test_the_whole_matrix(name, seed):
    """Batches of 1, 2 and 5; of the two large sizes, where the time goes, one batch a seed (and alone)."""
    deploy, card = described(net(name, seed))
    model = to_onnx(deploy, card)
    graph, network = ProtoRuntime(model, card), torch_runtime(deploy, card)
    least = (card.inputs[0].size.at_least_px,) * 2
    sizes = SMALL_SIZES if name != "unet deep" else SMALL_SIZES[:2]
    for count in (2, 5):
        prove(graph, network, samples(count), sizes)
        # A share of the few values at the least size says little.
        prove(graph, network, samples(count), [least], bar=replace(BARS["fp32"], changed=1.0))
    large = LARGE_SIZES if name != "unet deep" else LARGE_SIZES[:1]
    prove(graph, network, samples({0: 5, 1: 2, 2: 1}[seed]), large, bar=AT_LARGE_SIZES.get(name))


@pytest.mark.slow
def test_statistics_in_steps_are_needed_for_large_pictures(monkeypatch):
    """The control of the above: ONNX Runtime's own instance norm breaks the bar at 512 px."""
    monkeypatch.setattr(translate.runtime.session, "with_stepwise_bytes", lambda data: data)
    deploy, card, model = exported("resnet instance paper")
    graph, network = ProtoRuntime(model, card), torch_runtime(deploy, card)
    with pytest.raises(ModelError, match="at 512 x 512 px, batch of 1: the largest difference"):
        prove(graph, network, samples(1), [(512, 512)])


def test_statistics_in_steps_are_those_of_instance_norm():
    deploy, card, model = exported("resnet instance blur")
    stepwise = with_stepwise_statistics(model)
    check(stepwise)
    assert not any(node.op_type == "InstanceNormalization" for node in stepwise.graph.node)
    assert any(node.op_type == "InstanceNormalization" for node in model.graph.node)
    assert with_stepwise_bytes(model.SerializeToString()) == stepwise.SerializeToString()
    prove(ProtoRuntime(stepwise, card), torch_runtime(deploy, card), samples(), [(8, 8), (64, 48)])


@pytest.mark.slow
def test_resnet_9_of_full_width_is_proven_within_a_minute_on_two_cores():
    torch.set_num_threads(2)
    network = ResNet(norm="batch", blocks=9)
    initialise(network)
    deploy, card = described(network.eval())
    before = time.process_time()
    prove(
        ProtoRuntime(to_onnx(deploy, card), card),
        torch_runtime(deploy, card),
        samples(),
        proof_sizes(card.inputs[0].size, 256),
    )
    assert (time.process_time() - before) / 2 < 60.0
