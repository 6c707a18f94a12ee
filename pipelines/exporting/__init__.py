"""From a trained run to one `.onnx` file that is proven to compute the same, with its model card beside it."""

from pipelines.exporting.exporter import export

__all__ = ["export"]
