"""Pictures out of noise: drawing the noise, sheets, walks, the nearest training pictures. Imports no torch."""

from pipelines.generating.generate import Generate

__all__ = ["Generate"]
