"""Which device a run gets: the one asked for, or an error; never another one in silence."""

import os
from typing import Literal

import torch

from translate.errors import DeviceError
from translate.recipe import Precision

DeviceName = Literal["auto", "cpu", "cuda", "mps"]


def pick_device(name: DeviceName) -> torch.device:
    """The torch device; under torchrun each process gets its own GPU. Raises DeviceError for one that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        reason = "this torch was built without CUDA" if torch.version.cuda is None else "torch finds no CUDA device"
        raise DeviceError(f"--device cuda: {reason}. Use --device cpu, or look at the driver with nvidia-smi")
    if name == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("--device mps: torch finds no Apple GPU. Use --device cpu")
    if name == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device(name)


def prepare_device(device: torch.device) -> None:
    """Make a GPU this process's own, and let cuDNN try which kernels are fastest: crops are all of one size."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True


def pick_precision(precision: Precision, device: torch.device) -> Precision:
    """The precision that `auto` stands for: bf16 on a GPU that has it, fp16 on one that has not, fp32 on a CPU.

    bf16 on a CPU is a choice: it is fast only where the CPU multiplies it in hardware.
    """
    if precision != "auto":
        return precision
    if device.type != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def describe_device(device: torch.device) -> str:
    """The device in words, for a report."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({os.cpu_count()} cores, {torch.get_num_threads()} threads)"
