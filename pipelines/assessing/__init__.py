"""What `pixturn evaluate` says of a folder, a trained run or an .onnx file, beside real samples."""

from pipelines.assessing.assessment import assess
from pipelines.assessing.how import How

__all__ = ["How", "assess"]
