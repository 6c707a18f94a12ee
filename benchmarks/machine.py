"""What the machine could do at best, and what it is."""

import platform
import time
from pathlib import Path

import onnxruntime
import openvino
import torch

_SIDE = 2048
_REPEATS = 12


def peak_flops(dtype: torch.dtype, device: torch.device) -> float:
    """Floating-point operations a second of a large matrix product, the best of a dozen."""
    left = torch.randn(_SIDE, _SIDE, device=device).to(dtype)
    right = torch.randn(_SIDE, _SIDE, device=device).to(dtype)
    return 2 * _SIDE**3 / min(_product_seconds(left, right) for _ in range(_REPEATS))


def _product_seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    synchronise(left.device)
    start = time.perf_counter()
    left @ right
    synchronise(left.device)
    return time.perf_counter() - start


def synchronise(device: torch.device) -> None:
    """Wait for what was asked of a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def description(device: torch.device, threads: int) -> str:
    """Processor or GPU, threads, load, and versions."""
    packages = ", ".join(f"{module.__name__} {module.__version__}" for module in (torch, onnxruntime, openvino))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{_processor()}, {threads} threads"
    return f"{name}; load average {Path('/proc/loadavg').read_text().split()[0]}; {packages}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    fast = [flag for flag in ("avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8") if flag in flags]
    return f"{named[0] if named else platform.processor()} ({', '.join(fast) or 'no bf16 instructions'})"
