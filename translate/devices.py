"""Which device a run gets: the one asked for, or an error; never another one in silence."""

import os
from typing import Literal

import torch

from translate.errors import DeviceError
from translate.recipe import Layout, Precision

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
    return torch.device("cuda", _own_gpu()) if name == "cuda" else torch.device(name)


def _own_gpu() -> int:
    """The number of this process's GPU on this machine."""
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= there:
        raise DeviceError(
            f"--device cuda: process {number + 1} on this machine has no GPU of its own, as torch finds {there}: start "
            f"as many (torchrun --nproc-per-node {there}), or look at CUDA_VISIBLE_DEVICES"
        )
    return number


def prepare_device(device: torch.device) -> None:
    """Make a GPU this process's own, and let cuDNN try which kernels are fastest: crops are all of one size."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True


def pick_precision(precision: Precision, device: torch.device) -> Precision:
    """What `auto` stands for: bf16 where the hardware multiplies it, else fp16 on a GPU and fp32 on a CPU."""
    if precision != "auto":
        return precision
    if device.type == "cpu":
        return "bf16" if multiplies_bf16() else "fp32"
    if device.type != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def multiplies_bf16() -> bool:
    """Whether this CPU has instructions for products of bfloat16 (AVX-512 BF16 or AMX); others emulate them, slowly."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage] - no public name


def pick_layout(layout: Layout, device: torch.device) -> Layout:
    """The order in memory that `auto` stands for: pixel by pixel, which the convolutions of CPUs and CUDA want."""
    if layout != "auto":
        return layout
    return "channels-last" if device.type in {"cpu", "cuda"} else "plain"


def describe_device(device: torch.device) -> str:
    """The device in words, for a report."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{device.type} ({os.cpu_count()} cores, {threads} thread{'' if threads == 1 else 's'})"
