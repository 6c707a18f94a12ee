"""Small .onnx models of the tasks upscale and inpaint, whose results are known in closed form."""

import numpy as np
from onnx import helper, numpy_helper
from tiny_onnx import graph_of, saved, with_sidecar

from translate.card import Card, Mask, Picture, SizeRule

FILL = 0.6
"""What the model makes of every pixel: 204 in levels."""
FILL_LEVEL = 204


def constant(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.array(values, dtype), name)


def upscaler(path, scale=2, size=None, **changes):
    """b is a, every pixel scale x scale times."""
    rule = size or SizeRule()
    ports = {"inputs": (Picture(name="a", size=rule),), "outputs": (Picture(name="b", size=rule),)}
    card = Card(task="upscale", method="repeated", name=path.stem, scale=scale, tiling="exact", **ports, **changes)
    node = helper.make_node(
        "Resize",
        ["a", "", "scales"],
        ["b"],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    model = graph_of([node], [("a",)], [("b",)], [constant("scales", [1, 1, scale, scale])])
    return with_sidecar(saved(path, model, card.to_json()))


def filler(path, size=None, tiling="exact"):
    """b is FILL everywhere, but where the picture that went in is not mid-grey though it should be: there it is that.

    It does not even give known pixels back; and what a hole had in it, if that got to the model, is seen in b.
    """
    rule = size or SizeRule()
    ports = (Picture(name="a", size=rule), Mask(name="mask", size=rule))
    card = Card(
        task="inpaint",
        method="known",
        name=path.stem,
        inputs=ports,
        outputs=(Picture(name="b", size=rule),),
        tiling=tiling,
    )
    nodes = [
        helper.make_node("Greater", ["mask", "zero"], ["hole"]),
        helper.make_node("Abs", ["a"], ["strength"]),
        helper.make_node("Greater", ["strength", "little"], ["leaks"]),
        helper.make_node("And", ["hole", "leaks"], ["leaked"]),
        helper.make_node("Where", ["leaked", "a", "fill"], ["b"]),
    ]
    constants = [constant("zero", [0.0]), constant("little", [0.01]), constant("fill", [FILL])]
    model = graph_of(nodes, [("a",), ("mask", 1)], [("b",)], constants)
    return with_sidecar(saved(path, model, card.to_json()))
