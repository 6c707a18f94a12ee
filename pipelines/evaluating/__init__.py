"""Two sets of pictures held against each other: how good what a model makes is, and whether data have drifted."""

from pipelines.evaluating.drifting import Drift, drift
from pipelines.evaluating.evaluation import Evaluation, evaluate
from pipelines.evaluating.features import FeaturesName
from pipelines.evaluating.sources import Pictures

__all__ = ["Drift", "Evaluation", "FeaturesName", "Pictures", "drift", "evaluate"]
