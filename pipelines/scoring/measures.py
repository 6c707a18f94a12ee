"""The figures by which translations are scored, by the short names that recipes and logs use."""

from dataclasses import dataclass
from typing import Literal

JUDGE = "EfficientNet-Lite1"
"""The network that scores. Losses may use Lite0; what trained a model must not judge it."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure: its label for people, its unit, and which way is good."""

    label: str
    better: Literal["lower", "higher"]
    unit: str = ""

    def is_better(self, value: float, than: float) -> bool:
        """Whether `value` beats `than`."""
        return value < than if self.better == "lower" else value > than


MEASURES = {
    "perceptual": Measure(label=f"perceptual distance ({JUDGE})", better="lower"),
    "l1": Measure(label="L1", better="lower", unit="levels of 255"),
    "psnr": Measure(label="PSNR", better="higher", unit="dB"),
    "ssim": Measure(label="SSIM", better="higher"),
    "accuracy": Measure(label="pixel accuracy", better="higher"),
    "iou": Measure(label="mean IoU", better="higher"),
    "kid": Measure(label=f"KID ({JUDGE})", better="lower"),
    "frechet": Measure(label="FD-EffNetLite1", better="lower"),
}
"""All but the last two compare a picture with its truth (accuracy and iou: label maps, the four before them:
pictures); the last two compare the outputs as a set with real pictures."""
