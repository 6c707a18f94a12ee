"""Two sets of pictures held against each other: how good what a model makes is, and whether data have drifted."""

from pipelines.evaluating.drifting import Drift, drift
from pipelines.evaluating.evaluation import Evaluation, evaluate
from pipelines.evaluating.features import FeaturesName
from pipelines.evaluating.sources import Pictures
from pipelines.evaluating.told import Told, told

__all__ = ["Drift", "Evaluation", "FeaturesName", "Pictures", "Told", "drift", "evaluate", "told"]
