"""How large a file of weights may be. Every limit has a number, and its refusal names it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes above which a file is refused unread."""

    max_file_mb: int = 2048
    """The whole file; an `.onnx` file cannot hold more either."""
    max_pickle_mb: int = 16
    """The pickle inside a zip, which names tensors but does not hold their numbers."""
    max_tensors: int = 20_000
    """Tensors, and entries of a zip."""
