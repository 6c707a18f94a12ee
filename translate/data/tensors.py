"""From the bytes of a batch to a domain's tensor on the device, and back.

`translate.runtime.pixels` does the same with numpy alone, for where there is no torch; a test holds the two equal.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from translate.card import FixedPicture, Label, LabelMap, Latent, Mask, Picture, PicturePort, Port, Vector
from translate.placing import placed


def assemble(ports: tuple[Port, ...], arrays: Mapping[str, Tensor], device: torch.device | str) -> Tensor:
    """The tensor of a domain: its ports one after the other on the channel axis (of vectors: their numbers).

    Bytes go to the device and become numbers there: a quarter of the traffic.

    Args:
        ports: the domain's ports.
        arrays: by port name, N x C x H x W uint8 for pictures, N x H x W integers for label maps, N integers for
            labels, N x size floats for vectors.
        device: where the tensor is to be.

    Returns:
        N x C x H x W float32 in [-1, 1]; label maps one-hot, 1 where the class is and -1 elsewhere. Labels are N int64,
        and stand alone in their domain; vectors are N x size float32, in their own units.
    """
    parts = [_to_network(placed(arrays[port.name], torch.device(device)), port) for port in ports]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def to_uint8(tensor: Tensor, port: PicturePort | FixedPicture) -> np.ndarray:
    """One port's numbers as pixels, rounded to the nearest level (halves to even) and clamped.

    Args:
        tensor: N x C x H x W; values outside [-1, 1] become the nearest of the two.
        port: says whether these are pictures or scores of classes.

    Returns:
        N x H x W x C uint8 for pictures; N x H x W x 1 for label maps, the first of the largest classes, as uint8
        or, above 256 classes, uint16.
    """
    if isinstance(port, LabelMap):
        labels = tensor.detach().argmax(dim=1).cpu().numpy()[..., np.newaxis]
        return labels.astype(np.uint8 if port.classes <= 256 else np.uint16)
    levels = ((tensor.detach().float() + 1.0) * 127.5).round().clamp(0.0, 255.0)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _to_network(values: Tensor, port: Port) -> Tensor:
    match port:
        case LabelMap():
            classes = torch.arange(port.classes, device=values.device).view(1, -1, 1, 1)
            return (values.unsqueeze(1) == classes).float() * 2.0 - 1.0
        case Label():
            return values.long()
        case Vector() | Latent():
            return values.float()
        case Picture() | Mask() | FixedPicture():
            # A divisor on the device: by a plain number CUDA multiplies with the reciprocal, which rounds differently.
            half_range = torch.full((), 127.5, device=values.device)
            return values.float() / half_range - 1.0
