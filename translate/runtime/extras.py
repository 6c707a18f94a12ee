"""Optional packages: a missing one, or two that overwrite each other's files, is an error that says what to install."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from translate.errors import ConfigurationError

_ONNXRUNTIMES: Final = ("onnxruntime", "onnxruntime-gpu")


def require_onnxruntime() -> None:
    """Make sure that exactly one ONNX Runtime is installed. Raises ConfigurationError that says how to get there."""
    installed = [name for name in _ONNXRUNTIMES if _is_installed(name)]
    if not installed:
        raise ConfigurationError(
            "An .onnx model needs ONNX Runtime, which is not installed: "
            "pip install 'pixturn[cpu]', or pip install 'pixturn[gpu]' for CUDA"
        )
    if len(installed) > 1:
        raise ConfigurationError(
            f"{' and '.join(installed)} are both installed, and overwrite each other's files: "
            f"pip uninstall -y {' '.join(installed)}, then one of pip install 'pixturn[cpu]' and 'pixturn[gpu]'"
        )


def require_onnx() -> None:
    """Make sure that the package onnx is installed: it checks models. Raises ConfigurationError that names it."""
    if not _is_installed("onnx"):
        raise ConfigurationError(
            "A model is checked with the package onnx before it is run, which is not installed: "
            "pip install 'pixturn[cpu]', or pip install 'pixturn[gpu]' for CUDA"
        )


def require_openvino() -> None:
    """Make sure that OpenVINO is installed. Raises ConfigurationError that names the extra."""
    if not _is_installed("openvino"):
        raise ConfigurationError(
            "--device openvino needs OpenVINO, which is not installed: pip install 'pixturn[openvino]'"
        )


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
