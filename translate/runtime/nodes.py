"""Writing a piece of a graph, node by node."""

from typing import Any

import numpy as np
from onnx import NodeProto, helper, numpy_helper


class Nodes:
    """Nodes in the order of computation. What a node gives is called by a name of its own below `prefix`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.all: list[NodeProto] = []

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:  # noqa: ANN401
        """Append a node of one output and return the output's name, `output` where it is given."""
        name = f"{self._prefix}{operator}_{len(self.all)}"
        output = output or name
        self.all.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        return output

    def integers(self, values: int | list[int]) -> str:
        """A constant of int64: a scalar, or one dimension."""
        return self._constant(np.asarray(values, np.int64))

    def number(self, value: float) -> str:
        """A scalar constant of float32."""
        return self._constant(np.asarray(value, np.float32))

    def _constant(self, array: np.ndarray) -> str:
        return self.add("Constant", value=numpy_helper.from_array(array))
