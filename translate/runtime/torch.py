"""Runs a trained method's deployed module with torch."""

import torch

from translate.card import Card
from translate.method import Deploy
from translate.runtime.base import Arrays
from translate.runtime.failures import failed_run
from translate.runtime.origin import Origin


class TorchRuntime:
    """A deployed module in evaluation mode on a device."""

    def __init__(self, deploy: Deploy, card: Card, device: torch.device) -> None:
        self.card = card
        self.device = str(device)
        self.origin = Origin(versions={"torch": torch.__version__})
        self._module = deploy.module.to(device).eval()
        self._device = device

    @torch.inference_mode()
    def run(self, inputs: Arrays) -> Arrays:
        """Outputs by port name; see Runtime. Raises StorageError, DeviceError or ModelError, as OnnxRuntime."""
        try:
            outputs = self._module(*(torch.from_numpy(inputs[port.name]).to(self._device) for port in self.card.inputs))
        except RuntimeError as problem:  # torch has no error of its own for memory on a CPU
            raise failed_run(problem, inputs, self.device) from problem
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return {
            port.name: output.float().cpu().numpy() for port, output in zip(self.card.outputs, outputs, strict=True)
        }
