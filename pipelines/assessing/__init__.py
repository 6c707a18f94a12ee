"""What `pixturn evaluate` says of a folder, a trained run or an .onnx file, beside real samples."""

from pipelines.assessing.assessment import assess
from pipelines.assessing.options import SEED, AssessmentOptions

__all__ = ["SEED", "AssessmentOptions", "assess"]
