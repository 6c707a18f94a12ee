"""From the float32 graph that was proven to smaller and faster ones, each less exact: fp16 for GPUs, int8 for CPUs."""

from translate.export.precision.half import half
from translate.export.precision.int8 import quantise
from translate.export.precision.speed import speed_ratio

__all__ = ["half", "quantise", "speed_ratio"]
