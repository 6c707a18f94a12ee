"""Reach and alignment are derived from a graph: hold the derivation to what ONNX Runtime computes."""

from fractions import Fraction

import numpy as np
import pytest
from onnx import helper
from tiles import BAR, Numbers, card_of, graph_bytes, noise, one_thread, resnet

from translate.networks.resnet import ResNet
from translate.runtime.tiling import Tiled
from translate.runtime.tiling.graph import read_graph
from translate.runtime.tiling.lines import Bordering, Enlarging, Interpolating, Line, Sliding, line_through
from translate.runtime.tiling.plan import Plan
from translate.runtime.tiling.stages import stages_of
from translate.runtime.tiling.windows import Axis

GRAPHS = 60


class Chain:
    """A random network: layers are appended, and remember how large a map is against the picture."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants = [], {}
        self.maps = [("a", 3, Fraction(1), 0)]  # name, channels, scale, border: only equals can be added up

    def number(self, array):
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def weight(self, *shape):
        return self.number(self.random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32))

    def add(self, op, extra, channels, scale, lost, **attributes):
        source, _, before, _ = self.maps[-1]
        made = f"m{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [source, *extra], [made], **attributes))
        self.maps.append((made, channels, before * scale, lost))

    def convolution(self):
        kernel, stride = (int(self.random.integers(1, 5)) for _ in range(2))
        stride, dilation = min(stride, 2), int(self.random.integers(1, 3))
        pads = [int(each) for each in self.random.integers(0, 3, 4)]
        weight = self.weight(4, self.maps[-1][1], kernel, kernel)
        steps = {"strides": [stride] * 2, "dilations": [dilation] * 2, "pads": pads, "kernel_shape": [kernel] * 2}
        self.add("Conv", [weight], 4, Fraction(1, stride), object(), **steps)

    def transposed(self):
        kernel, pad = int(self.random.integers(2, 6)), int(self.random.integers(0, 2))
        weight = self.weight(self.maps[-1][1], 4, kernel, kernel)
        steps = {"strides": [2, 2], "pads": [pad] * 4, "kernel_shape": [kernel] * 2}
        steps["output_padding"] = [int(self.random.integers(0, 2))] * 2
        self.add("ConvTranspose", [weight], 4, 2, object(), **steps)

    def pad(self):
        mode = str(self.random.choice(["reflect", "edge", "constant"]))
        top, left, bottom, right = self.random.integers(0, 4, 4)
        pads = self.number(np.array([0, 0, top, left, 0, 0, bottom, right]))
        self.add("Pad", [pads], self.maps[-1][1], 1, object(), mode=mode)

    def resize(self):
        factor = float(self.random.choice([0.5, 1.5, 2.0, 3.0]))
        mode = str(self.random.choice(["nearest", "linear", "cubic"]))
        places = "asymmetric" if mode == "nearest" else "half_pixel"
        scales = self.number(np.array([1, 1, factor, factor], np.float32))
        how = {"mode": mode, "coordinate_transformation_mode": places, "nearest_mode": "floor"}
        self.add("Resize", ["", scales], self.maps[-1][1], Fraction(factor), object(), **how)

    def pool(self):
        op, kernel = str(self.random.choice(["AveragePool", "MaxPool"])), int(self.random.integers(2, 4))
        self.add(op, [], self.maps[-1][1], Fraction(1, 2), object(), kernel_shape=[kernel] * 2, strides=[2, 2])

    def shuffle(self):
        if self.maps[-1][1] % 4 == 0:
            self.add("DepthToSpace", [], self.maps[-1][1] // 4, 2, object(), blocksize=2)

    def normalise(self):
        channels = self.maps[-1][1]
        scale, shift = (self.number(self.random.normal(1, 0.2, channels).astype(np.float32)) for _ in range(2))
        self.add("InstanceNormalization", [scale, shift], channels, 1, self.maps[-1][3])

    def residual(self):
        """The last map added to an earlier one of the same size."""
        _, channels, scale, lost = self.maps[-1]
        same = [each[0] for each in self.maps[:-1] if each[1:] == (channels, scale, lost)]
        if same:
            self.add("Add", [same[0]], channels, 1, lost)

    def activate(self):
        self.add("Tanh", [], self.maps[-1][1], 1, self.maps[-1][3])


LAYERS = ["convolution", "transposed", "pad", "resize", "pool", "shuffle", "normalise", "activate", "residual"]


def random_model(seed):
    chain = Chain(seed)
    while len(chain.nodes) < 6:
        scale = chain.maps[-1][2]
        kinds = [kind for kind in LAYERS if scale <= 2 or kind not in ("transposed", "resize", "shuffle")]
        kinds = [kind for kind in kinds if scale >= Fraction(1, 2) or kind not in ("pool", "convolution", "resize")]
        if chain.nodes and chain.nodes[-1].op_type == "Pad":  # ONNX Runtime merges the two, and then refuses the result
            kinds.remove("pool") if "pool" in kinds else None
        getattr(chain, str(chain.random.choice(kinds)))()
    name, channels, _, _ = chain.maps[-1]
    return graph_bytes(chain.nodes, constants=chain.constants, outputs=[(name, channels)]), channels, name


def apart_at(monkeypatch, seed, less_px=0):
    """The difference between tiles and the whole, with a border that is `less_px` alignments too narrow."""
    model, _, name = random_model(seed)
    card = card_of()
    monkeypatch.setattr(Plan, "_require_scale", lambda plan, card: None)
    sample = {"a": noise(67, 90, seed=seed)}
    truth = one_thread(model).run([name], {"a": whole_input(sample["a"])})[0]
    sink = Numbers(truth.shape)
    derived = Axis.halo_px

    def narrower(axis, stage, tile_px, alignment_px):
        return max(0, derived(axis, stage, tile_px, alignment_px) - less_px * alignment_px)

    with monkeypatch.context() as patch:
        patch.setattr(Axis, "halo_px", narrower)
        Tiled(model, card, open_session=one_thread).run_into({name: sink}, sample, tile_px=24)
    return np.abs(sink.numbers - truth).max() / max(1.0, np.abs(truth).max())


def whole_input(pixels):
    return (pixels.transpose(2, 0, 1)[np.newaxis] / np.float32(127.5) - 1).astype(np.float32)


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_random_networks_in_tiles(seed, monkeypatch):
    assert apart_at(monkeypatch, seed) <= BAR


def test_a_border_one_step_narrower_is_seen(monkeypatch):
    """Of most networks; some have no border at all, or one that the tiles' steps rounded up."""
    seen = sum(not apart_at(monkeypatch, seed, less_px=1) <= BAR for seed in range(20))
    assert seen >= 12


@pytest.mark.parametrize("resampling", ["paper", "blur", "nearest"])
def test_the_border_is_what_the_network_says_of_itself(resampling):
    """`context_px` is worked out by hand in translate/networks; here it is found in the exported graph."""
    model, card, _ = resnet("none" if resampling == "blur" else "batch", resampling, resampling == "blur")
    context_px = ResNet(width=4, blocks=1, norm="batch", resampling=resampling).context_px
    assert Tiled(model, card).need(500, 500, tile_px=64).halo_px == 4 * -(-context_px // 4)


def read_by(rule, line, place):
    """Every input that one output reads, by brute force; what lies beyond the border is the layer's own."""
    return [
        min(max(read, 0), line.whole - 1)
        for read in range(rule.first(place, line.whole), rule.last(place, line.whole) + 1)
    ]


RULES = {
    "convolution": Sliding(kernel=3, stride=1, before=1, after=1),
    "halving": Sliding(kernel=4, stride=2, before=1, after=1),
    "transposed": Enlarging(kernel=3, stride=2, before=1, after=1, extra=1),
    "edge": Bordering(before=3, after=2),
    "reflected": Bordering(before=3, after=2, reflects=True),
    "bilinear": Interpolating(factor=Fraction(2), shift=Fraction(1, 2), before=0, after=1),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("window", [(0, 40), (0, 24), (16, 40), (8, 32)])
def test_an_output_is_right_if_and_only_if_all_that_it_reads_is(name, window):
    rule = RULES[name]
    line = Line(whole=40, start=window[0], stop=window[1], right_from=window[0], right_to=window[1])
    made = line_through(rule, line)
    right = [
        place
        for place in range(made.start, made.stop)
        if all(line.right_from <= read < line.right_to for read in read_by(rule, line, place))
    ]
    assert right == list(range(made.right_from, made.right_to))
    assert made.whole == rule.length(40)
    assert (made.right_from == 0) == (window[0] == 0)
    assert (made.right_to == made.whole) == (window[1] == 40)


def test_a_window_between_steps_is_refused():
    with pytest.raises(ValueError, match="begins at 3"):
        line_through(Sliding(kernel=3, stride=2), Line(whole=40, start=3, stop=20, right_from=3, right_to=20))


@pytest.mark.parametrize("name", ["paper", "blur"])
def test_a_resnet_is_cut_at_multiples_of_four(name):
    graph = read_graph(resnet("batch" if name == "paper" else "none", name, name == "blur")[0])
    assert Axis(graph, stages_of(graph), 0, 100).alignment_px() == 4
