"""Training from Python: `train(recipe, data)` and `resume(name)`."""

from pipelines.training.run import Setting, resume, train

__all__ = ["Setting", "resume", "train"]
