"""Models that were built to do harm, each with a valid card; `build(folder)` gives the bytes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tiny_onnx import CARD, graph_of, value, with_card

from translate.runtime.gate import CARD_KEY

ONE = ("a",)
TWO = ("b",)


def model_with(*constants, nodes=None):
    nodes = nodes or [helper.make_node("Add", ["a", "w"], ["b"])]
    return with_card(graph_of(nodes, [ONE], [TWO], constants))


def weight():
    return numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "w")


def outside(location, **more):
    """Take the weight from another file: 12 bytes that are there, in or beside the model's folder."""

    def build(folder):
        for place in (folder, folder.parent):
            (place / "weights.bin").write_bytes(weight().raw_data)
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(1, 3, 1, 1))
        tensor.data_location = TensorProto.EXTERNAL
        for key, entry in {"location": location(folder) if callable(location) else location, **more}.items():
            tensor.external_data.add(key=key, value=entry)
        return model_with(tensor)

    return build


def symbolic_link(folder):
    (folder / "link.bin").symlink_to(folder.parent / "weights.bin")
    return "link.bin"


def hard_link(folder):
    (folder / "link.bin").hardlink_to(folder.parent / "weights.bin")
    return "link.bin"


def outside_of_a_node(folder):
    """The same in the attribute of a Constant, which has no name that anybody looks up."""
    tensor = outside("weights.bin")(folder).graph.initializer[0]
    nodes = [helper.make_node("Constant", [], ["w"], value=tensor), helper.make_node("Add", ["a", "w"], ["b"])]
    return model_with(nodes=nodes)


def outside_without_a_flag(folder):
    """It says where the bytes are, but not that they are elsewhere."""
    tensor = weight()
    tensor.external_data.add(key="location", value="weights.bin")
    return model_with(tensor)


def compiled_blob(folder):
    blob = helper.make_node(
        "EPContext", ["a"], ["b"], domain="com.microsoft", embed_mode=1, ep_cache_context=b"\x7fELF"
    )
    return model_with(nodes=[blob])


def custom_operator(folder):
    return model_with(nodes=[helper.make_node("Evil", ["a"], ["b"], domain="my.ops")])


def python_operator(folder):
    return model_with(nodes=[helper.make_node("PyOp", ["a"], ["b"], domain="ai.onnx.contrib", module="os")])


def machine_learning_operator(folder):
    return model_with(nodes=[helper.make_node("Scaler", ["a"], ["b"], domain="ai.onnx.ml", scale=[1.0])])


def function_body(folder):
    """A function of the model's own, which shadows a harmless name."""
    inner = [helper.make_node("Neg", ["x"], ["y"])]
    opset = [helper.make_opsetid("", 18)]
    function = helper.make_function("local", "Relu", ["x"], ["y"], inner, opset)
    model = model_with(nodes=[helper.make_node("Relu", ["a"], ["b"], domain="local")])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("local", 1))
    return model


def function_of_a_standard_name(folder):
    inner = [helper.make_node("Neg", ["x"], ["y"])]
    model = model_with(nodes=[helper.make_node("Relu", ["a"], ["b"])])
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], inner, [helper.make_opsetid("", 18)]))
    return model


def infinite_loop(folder):
    flag = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    turn = helper.make_tensor_value_info("turn", TensorProto.INT64, [])
    kept = helper.make_tensor_value_info("kept", TensorProto.FLOAT, None)
    again = helper.make_tensor_value_info("again", TensorProto.BOOL, [])
    same = helper.make_tensor_value_info("same", TensorProto.FLOAT, None)
    nodes = [helper.make_node("Identity", ["go"], ["again"]), helper.make_node("Identity", ["kept"], ["same"])]
    body = helper.make_graph(nodes, "body", [turn, flag, kept], [again, same])
    true = numpy_helper.from_array(np.array(True), "true")
    return model_with(true, nodes=[helper.make_node("Loop", ["", "true", "a"], ["b"], body=body)])


def branch(folder):
    arms = [helper.make_graph([helper.make_node("Neg", ["a"], [name])], name, [], [value(name)]) for name in "xy"]
    true = numpy_helper.from_array(np.array(True), "true")
    return model_with(true, nodes=[helper.make_node("If", ["true"], ["b"], then_branch=arms[0], else_branch=arms[1])])


def huge_constant(folder):
    """256 GB in 30 bytes."""
    size = numpy_helper.from_array(np.array([1, 3, 1 << 17, 174763], np.int64), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["huge"]),
        helper.make_node("ReduceMax", ["huge"], ["most"], keepdims=1),
        helper.make_node("Add", ["a", "most"], ["b"]),
    ]
    return model_with(size, nodes=nodes)


def huge_tensor(folder):
    """A stored tensor that says that it is 256 GB, with 12 bytes."""
    tensor = weight()
    del tensor.dims[:]
    tensor.dims.extend([1, 3, 1 << 17, 174763])
    return model_with(tensor)


def no_groups(folder):
    """ONNX Runtime divides by it: SIGFPE."""
    kernel = numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "w")
    return model_with(kernel, nodes=[helper.make_node("ConvTranspose", ["a", "w"], ["b"], group=0)])


def random_numbers(folder):
    return model_with(nodes=[helper.make_node("RandomNormalLike", ["a"], ["b"])])


def another_card_behind(folder):
    """Two cards: a reader may take the first, another the last."""
    model = model_with(weight())
    model.metadata_props.add(key=CARD_KEY, value=CARD.replace("translate", "upscale"))
    return model


def deep_card(folder):
    model = model_with(weight())
    model.metadata_props[0].value = "[" * 100_000
    return model


def wrong_size(folder):
    """Not the size that goes in, as the card says; a folder run would write pictures of another size."""
    return model_with(nodes=[helper.make_node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2])])


def training_graph(folder):
    model = model_with(weight())
    model.training_info.add().algorithm.CopyFrom(onnx.GraphProto(name="training"))
    return model


ATTACKS = {
    "outside: beside": outside("weights.bin"),
    "outside: above": outside("../weights.bin"),
    "outside: absolute": outside(lambda folder: str(folder.parent / "weights.bin")),
    "outside: symbolic link": outside(symbolic_link),
    "outside: hard link": outside(hard_link),
    "outside: a device": outside("/dev/zero"),
    "outside: memory": outside("*/_ORT_MEM_ADDR_/*", offset="4096", length="12"),
    "outside: address": outside("http://127.0.0.1:9/weights.bin"),
    "outside: negative place": outside("weights.bin", offset="-4096", length="12"),
    "outside: in a node": outside_of_a_node,
    "outside: without a flag": outside_without_a_flag,
    "compiled blob": compiled_blob,
    "custom operator": custom_operator,
    "python operator": python_operator,
    "operator of machine learning": machine_learning_operator,
    "function body": function_body,
    "function of a standard name": function_of_a_standard_name,
    "infinite loop": infinite_loop,
    "branch": branch,
    "huge constant": huge_constant,
    "huge tensor": huge_tensor,
    "group=0": no_groups,
    "random numbers": random_numbers,
    "two cards": another_card_behind,
    "deep card": deep_card,
    "another size": wrong_size,
    "training graph": training_graph,
}
