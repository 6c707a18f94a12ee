"""How near a file comes to the network at the size that its pictures have: nearer than what the proof asks for."""

from typing import Final

import torch
from onnx import ModelProto

from pipelines.exporting.material import OnPictures
from translate.card import Card
from translate.export.agreement import largest_difference
from translate.export.fitting import fitted
from translate.export.session import ProtoRuntime
from translate.runtime.codec import codec_for
from translate.runtime.torch import TorchRuntime

CLOSE: Final = 1e-5
"""Of [-1, 1], in float32."""
USUAL: Final = "difference_at_usual_size"
"""The figure's name on the card."""


def difference_at_usual_size(material: OnPictures, model: ModelProto, card: Card) -> float:
    """The largest difference of one number between a graph and the deploy, on the first picture."""
    side = material.usual_px
    given = codec_for(card).encode([fitted(material.samples[0], card.input_pictures, side, side)])
    network = TorchRuntime(material.deploy, card, torch.device("cpu"))
    return largest_difference(ProtoRuntime(model, card).run(given), network.run(given))
