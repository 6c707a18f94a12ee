"""The class of a sample whose class nobody has said."""

from typing import Final

UNLABELLED: Final = -1
"""Stands among classes, which are numbered from 0. Losses leave such samples out."""
