from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from tiles import BAR, Numbers, apart, as_model, card_of, graph_bytes, noise, one_thread, perturbed, resnet, whole

import translate.runtime.tiling.play
from translate.card import LabelMap, Picture, SizeRule
from translate.errors import ConfigurationError, ModelError
from translate.export.precision.half import half
from translate.export.precision.int8 import quantise
from translate.networks.compact import Compact
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet
from translate.runtime.codec import codec_for
from translate.runtime.tiling import Tiled
from translate.runtime.tiling.statistics import Moments
from translate.runtime.tiling.windows import Axis

SIZES = [(127, 211), (64, 64), (65, 193), (203, 97), (9, 331)]
TILES = [64, 96]
EXACT = [("batch", "paper", False), ("none", "blur", True), ("batch", "nearest", False)]
STATISTICS = [("instance", "blur", True), ("instance-affine", "paper", False)]


def every(norms):
    return [
        (norm, resampling, more) for norm in norms for resampling in ("paper", "blur", "nearest") for more in (0, 1)
    ]


def of_size(size):
    return {"a": noise(*size)}


@pytest.mark.parametrize("kind", EXACT)
def test_tiles_of_an_exact_network_equal_the_whole_picture(kind):
    model, card, _ = resnet(*kind)
    assert card.tiling == "exact"
    assert Tiled(model, card).need(200, 200).disk_bytes == 0
    for size in SIZES:
        for tile_px in TILES:
            assert apart(model, card, of_size(size), tile_px=tile_px) <= BAR, (size, tile_px)


@pytest.mark.parametrize("kind", STATISTICS)
def test_statistics_of_the_whole_picture(kind, tmp_path):
    model, card, _ = resnet(*kind)
    assert card.tiling == "whole-picture statistics"
    for size in SIZES:
        assert apart(model, card, of_size(size), tile_px=64, scratch=tmp_path) <= BAR, size


@pytest.mark.slow
@pytest.mark.parametrize("kind", every(["batch", "none", "instance", "instance-affine"]))
def test_every_resnet_in_tiles(kind):
    model, card, _ = resnet(*kind, blocks=2)
    for size in SIZES:
        for tile_px in TILES:
            assert apart(model, card, of_size(size), tile_px=tile_px) <= BAR, (size, tile_px)


@pytest.mark.parametrize("kind", [EXACT[0], STATISTICS[1]])
def test_torch_sees_the_same_picture(kind):
    model, card, module = resnet(*kind)
    sample = of_size((101, 150))
    with torch.inference_mode():
        truth = module(torch.from_numpy(codec_for(card).encode([sample])["a"]))[0].numpy()
    levels = codec_for(card).decode({"b": truth}, 101, 150)[0]["b"]
    made = Tiled(model, card).run(sample, tile_px=64)["b"]
    assert made.shape == (101, 150, 3)
    assert np.abs(made.astype(int) - levels).max() <= 1
    assert (made != levels).mean() < 1e-3


def no_halo(patch):
    patch.setattr(Axis, "halo_px", lambda axis, stage, tile_px, alignment_px: 0)


def misaligned(patch):
    patch.setattr(Axis, "alignment_px", lambda axis: 1)
    patch.setattr(Axis, "halo_px", lambda axis, stage, tile_px, alignment_px: 21)


class OfOneTile(Moments):
    """What a tile sees by itself."""

    def add(self, maps):
        super().add(maps) if self._count == 0 else None


def statistics_of_a_tile(patch):
    patch.setattr(translate.runtime.tiling.play, "Moments", OfOneTile)


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        (EXACT[0], no_halo),
        (EXACT[0], misaligned),
        (STATISTICS[1], no_halo),
        (STATISTICS[1], misaligned),
        (STATISTICS[1], statistics_of_a_tile),
    ],
)
def test_broken_tiles_are_far_beyond_the_bar(kind, damage, monkeypatch):
    model, card, _ = resnet(*kind)
    damage(monkeypatch)
    assert apart(model, card, of_size((127, 211)), tile_px=64) > 100 * BAR


@pytest.mark.parametrize("scale", [2])
def test_a_network_that_enlarges(scale):
    model, card, _ = as_model(perturbed(Compact(width=6, convolutions=3, scale=scale)), scale=scale)
    for size in [(70, 131), (1, 150), (97, 64)]:
        assert apart(model, card, of_size(size), tile_px=32) <= BAR
        assert Tiled(model, card).run(of_size(size), tile_px=32)["b"].shape == (scale * size[0], scale * size[1], 3)


def test_several_ports_and_label_maps():
    inputs = Picture(name="photo"), LabelMap(name="classes", classes=5)
    outputs = LabelMap(name="seen", classes=4), Picture(name="grey", channels=1)
    network = perturbed(ResNet(inputs=8, outputs=5, width=4, blocks=1, norm="instance"))
    model, card, _ = as_model(network, inputs=inputs, outputs=outputs)
    labels = np.random.default_rng(0).integers(0, 5, (90, 75), dtype=np.uint8)
    sample = {"photo": noise(90, 75), "classes": labels}
    assert apart(model, card, sample, tile_px=32) <= BAR
    truth = codec_for(card).decode(whole(model, card, sample), 90, 75)[0]
    made = Tiled(model, card, open_session=one_thread).run(sample, tile_px=32)
    assert {name: (array.shape, array.dtype) for name, array in made.items()} == {
        name: (array.shape, array.dtype) for name, array in truth.items()
    }
    assert (made["seen"] != truth["seen"]).mean() < 1e-3
    assert np.abs(made["grey"].astype(int) - truth["grey"]).max() <= 1


def decomposed(source, made):
    """Instance normalisation in six layers, as some exporters write it."""
    return [
        helper.make_node("ReduceMean", [source, "places"], ["mean"], keepdims=1),
        helper.make_node("Sub", [source, "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "centred"], ["squares"]),
        helper.make_node("ReduceMean", ["squares", "places"], ["variance"], keepdims=1),
        helper.make_node("Add", ["variance", "epsilon"], ["positive"]),
        helper.make_node("Sqrt", ["positive"], ["deviation"]),
        helper.make_node("Div", ["centred", "deviation"], [made]),
    ]


CONSTANTS = {
    "places": np.array([2, 3]),
    "epsilon": np.float32(1e-5),
    "ones": np.ones(3, np.float32),
    "zeros": np.zeros(3, np.float32),
    "weight": np.random.default_rng(0).normal(0, 0.3, (3, 3, 3, 3)).astype(np.float32),
}
CONVOLUTION = helper.make_node("Conv", ["a", "weight"], ["x"], pads=[1, 1, 1, 1])
BY_HAND = {
    "a decomposed norm": [CONVOLUTION, *decomposed("x", "b")],
    "a norm of the picture": [helper.make_node("InstanceNormalization", ["a", "ones", "zeros"], ["b"])],
    "attention on channels": [
        CONVOLUTION,
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Sigmoid", ["pooled"], ["gate"]),
        helper.make_node("Mul", ["x", "gate"], ["b"]),
    ],
    "two branches": [
        CONVOLUTION,
        helper.make_node("InstanceNormalization", ["x", "ones", "zeros"], ["left"]),
        helper.make_node("InstanceNormalization", ["a", "ones", "zeros"], ["right"]),
        helper.make_node("Add", ["left", "right"], ["sum"]),
        helper.make_node("Conv", ["sum", "weight"], ["y"], pads=[1, 1, 1, 1]),
        helper.make_node("InstanceNormalization", ["y", "ones", "zeros"], ["z"]),
        helper.make_node("Add", ["left", "z"], ["b"]),
    ],
}


@pytest.mark.parametrize("name", BY_HAND)
def test_statistics_in_other_forms(name):
    model = graph_bytes(BY_HAND[name], constants=CONSTANTS)
    assert apart(model, card_of(), of_size((50, 77)), tile_px=16) <= BAR


REFUSED = {
    "a fixed size": [helper.make_node("Reshape", ["a", "shape"], ["b"])],
    "positions": [helper.make_node("Add", ["a", "positions"], ["b"])],
    "the greatest of all": [
        helper.make_node("GlobalMaxPool", ["a"], ["most"]),
        helper.make_node("Mul", ["a", "most"], ["b"]),
    ],
    "a mean of rows": [
        helper.make_node("ReduceMean", ["a", "rows"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["a", "mean"], ["b"]),
    ],
    "by size": [helper.make_node("Resize", ["a", "", "", "sizes"], ["b"])],
    "attention on places": [helper.make_node("Softmax", ["a"], ["b"], axis=3)],
    "mirrored": [helper.make_node("Slice", ["a", "start", "end", "axis", "back"], ["b"])],
}
ODD = {
    "shape": np.array([1, 3, 8, 8]),
    "positions": np.zeros((1, 3, 8, 8), np.float32),
    "rows": np.array([2]),
    "sizes": np.array([1, 3, 8, 8]),
    "start": np.array([-1]),
    "end": np.array([-9]),
    "axis": np.array([3]),
    "back": np.array([-1]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_reads_everything_is_refused_by_its_layer(name):
    with pytest.raises(ModelError, match=f"cannot be run in tiles: its layer {REFUSED[name][0].op_type} ") as refusal:
        Tiled(graph_bytes(REFUSED[name], constants=ODD), card_of()).need(64, 64)
    assert refusal.value.exit_code == 4


def lower(precision, model, card):
    if precision == "fp16":
        return half(onnx.load_from_string(model)).SerializeToString()
    samples = [codec_for(card).encode([{"a": noise(96, 96, seed=seed)}]) for seed in range(3)]
    return quantise(onnx.load_from_string(model), samples).SerializeToString()


@pytest.mark.parametrize("kind", [EXACT[0]])
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_lower_precisions_without_statistics_are_exact(precision, kind):
    model, card, _ = resnet(*kind)
    assert apart(lower(precision, model, card), card, of_size((127, 211)), tile_px=64) <= BAR


LOWER_BARS = {"fp16": (0.01, 0.05), "int8": (2.0, 0.05)}
"""With statistics of the whole picture: the largest difference of [-1, 1], and the mean in levels of 255."""


def lower_apart(precision, kind, size):
    """Largest and mean difference between tiles and the whole picture, and the mean one between precisions."""
    model, card, _ = resnet(*kind)
    lowered, sample = lower(precision, model, card), of_size(size)
    truth = whole(lowered, card, sample)["b"]
    sink = Numbers(truth.shape)
    Tiled(lowered, card, open_session=one_thread).run_into({"b": sink}, sample, tile_px=64)
    apart, cost = np.abs(sink.numbers - truth), np.abs(truth - whole(model, card, sample)["b"])
    return apart.max(), 127.5 * apart.mean(), 127.5 * cost.mean()


@pytest.mark.parametrize("kind", STATISTICS)
@pytest.mark.parametrize("precision", LOWER_BARS)
def test_lower_precisions_with_statistics_keep_bars_of_their_own(precision, kind):
    for size in [(127, 211), (203, 97)]:
        worst, mean, cost = lower_apart(precision, kind, size)
        assert worst <= LOWER_BARS[precision][0], size
        assert mean <= min(LOWER_BARS[precision][1], cost / 2), size


@pytest.mark.parametrize("precision", LOWER_BARS)
def test_control_statistics_of_a_tile_miss_the_bars_of_lower_precisions(precision, monkeypatch):
    statistics_of_a_tile(monkeypatch)
    _, mean, _ = lower_apart(precision, STATISTICS[1], (127, 211))
    assert mean > 20 * LOWER_BARS[precision][1]


def test_a_unet_is_refused_with_the_reason():
    rule = UNet(width=4, depth=3).size_rule
    card = card_of(size=rule, tiling=UNet.tiling)
    with pytest.raises(ModelError, match=r"tiny cannot be run in tiles: its card forbids it.*U-Net"):
        Tiled(b"", card)


def test_other_refusals():
    model, card, _ = resnet(*EXACT[0])
    with pytest.raises(ModelError, match="without --pixels"):
        Tiled(b"", replace(card, pixels=True, tiling="forbidden"))
    with pytest.raises(ModelError, match="not an ONNX model"):
        Tiled(b"no model", card)
    with pytest.raises(ModelError, match="its card says 2"):
        Tiled(model, card_of(size=SizeRule(multiple_of_px=4, at_least_px=8), scale=2)).need(64, 64)
    with pytest.raises(ConfigurationError, match="--tile-px is 0"):
        Tiled(model, card).run(of_size((64, 64)), tile_px=0)


def test_progress_counts_every_tile():
    model, card, _ = resnet(*STATISTICS[1])
    tiled, seen = Tiled(model, card, open_session=one_thread), []
    tiled.run(of_size((70, 130)), tile_px=64, progress=lambda done, of: seen.append((done, of)))
    need = tiled.need(70, 130, tile_px=64)
    assert need.stages == 8
    assert seen == [(done, 2 * 3 * 8) for done in range(1, 2 * 3 * 8 + 1)]
    assert need.tiles == 2 * 3 * 8
