"""What the tests of tiling share: narrow networks as files, whole pictures as truth, tiles as numbers."""

from functools import cache

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

from translate.card import Card, Picture, SizeRule
from translate.deploy import translation
from translate.export.graph import to_onnx
from translate.networks.difference import Difference
from translate.networks.resnet import ResNet
from translate.runtime.codec import codec_for
from translate.runtime.session import new_session
from translate.runtime.tiling import Tiled

BAR = 1e-4
"""How far tiles may be from the whole picture, in [-1, 1]."""


def card_of(*, inputs=None, outputs=None, scale=1, tiling="exact", size=None):
    size = size or SizeRule()
    inputs, outputs = inputs or (Picture(name="a", size=size),), outputs or (Picture(name="b", size=size),)
    return Card(task="translate", method="m", name="tiny", inputs=inputs, outputs=outputs, scale=scale, tiling=tiling)


def perturbed(network):
    """As after training: larger weights than at the start; scales, shifts and running statistics moved."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point() and not name.endswith("kernel"):
                tensor.copy_(2.5 * tensor) if tensor.ndim > 1 else tensor.normal_(0, 0.1)
    return network.eval()


def exported(deploy, card):
    return to_onnx(deploy, card).SerializeToString()


def as_model(network, *, inputs=None, outputs=None, scale=1):
    """A network's `.onnx` bytes and card; also what torch runs."""
    deploy = translation(network, inputs or (Picture(name="a"),), outputs or (Picture(name="b"),))
    deploy.module.eval()
    card = card_of(inputs=deploy.inputs, outputs=deploy.outputs, scale=scale, tiling=deploy.tiling)
    return exported(deploy, card), card, deploy.module


@cache
def resnet(norm, resampling="paper", difference=False, width=4, blocks=1):
    torch.manual_seed(0)
    network = ResNet(width=width, blocks=blocks, norm=norm, resampling=resampling)
    network = Difference(network=network, inputs=3, outputs=3) if difference else network
    return as_model(perturbed(network))


def noise(height, width, channels=3, seed=0):
    """A picture with detail of all sizes, whose left is brighter than its right."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 120, (height // 16 + 1, width // 16 + 1, channels)).repeat(16, 0).repeat(16, 1)
    fine = random.integers(0, 60, (height, width, channels))
    return (coarse[:height, :width] + fine + np.linspace(70, 0, width)[:, None]).astype(np.uint8)


def whole(model, card, sample):
    """Outputs by name, 1 x C x H x W, of the padded picture at once."""
    names = [port.name for port in card.outputs]
    return dict(zip(names, new_session(model, threads=1).run(names, codec_for(card).encode([sample])), strict=True))


class Numbers:
    """A sink that keeps numbers as they come, and refuses to get any place twice."""

    def __init__(self, shape):
        self.numbers = np.full(shape, np.nan, np.float32)

    def write(self, top, left, numbers):
        place = self.numbers[0, :, top : top + numbers.shape[1], left : left + numbers.shape[2]]
        assert np.isnan(place).all()
        place[:] = numbers


def one_thread(content):
    return new_session(content, threads=1)


def apart(model, card, sample, *, tile_px, **options):
    """The largest difference between tiles and the whole picture, padding included; NaN where a tile is missing."""
    truth = whole(model, card, sample)
    sinks = {name: Numbers(numbers.shape) for name, numbers in truth.items()}
    Tiled(model, card, open_session=one_thread).run_into(sinks, sample, tile_px=tile_px, **options)
    return max(np.abs(sinks[name].numbers - truth[name]).max() for name in truth)


def graph_bytes(nodes, *, constants=(), inputs=(("a", 3),), outputs=(("b", 3),), opset=18):
    """A model of hand-made nodes on N x C x H x W."""

    def value(name, channels):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, None, None])

    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in dict(constants).items()]
    ports = [value(*each) for each in inputs], [value(*each) for each in outputs]
    graph = helper.make_graph(nodes, "graph", *ports, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return model.SerializeToString()
