"""The figures by which translations are scored, by the short names that recipes and logs use."""

from dataclasses import dataclass
from typing import Literal

JUDGE = "EfficientNet-Lite1"
"""The network that scores. Losses may use Lite0; what trained a model must not judge it."""


LAST = "last"
"""In place of a measure: the newest weights are the best, as at the end of a rate that falls to nothing."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure: its label for people, its unit, and which way is good."""

    label: str
    better: Literal["lower", "higher"]
    unit: str = ""
    meaning: str = ""
    """What a figure says, in a few words; only of what `pixturn evaluate` shows."""

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
    "precision": Measure(label="precision", better="higher"),
    "recall": Measure(label="recall", better="higher"),
    "density": Measure(label="density", better="higher"),
    "coverage": Measure(label="coverage", better="higher"),
    "two_sample": Measure(label="two-sample test's accuracy", better="lower", meaning="0.5: nothing tells them apart"),
    "two_sample_p": Measure(
        label="two-sample test's p-value", better="higher", meaning="below 0.05: that is hardly chance"
    ),
    "energy": Measure(label="energy distance", better="lower", meaning="0 where nothing differs"),
    "parzen": Measure(
        label="Parzen window", better="higher", unit="nats", meaning="log-likelihood; misleads, see below"
    ),
    "modes": Measure(label="modes reached", better="higher", meaning="that a sample comes near to"),
    "in_modes": Measure(label="samples at a mode", better="higher", meaning="share within 3 deviations of a mode"),
    "reverse_kl": Measure(
        label="reverse KL of the modes", better="lower", unit="nats", meaning="0 where modes come equally often"
    ),
    "gan_test": Measure(label="GAN-test", better="higher", meaning="share recognised as the class asked for"),
    "gan_train": Measure(
        label="GAN-train", better="higher", meaning="accuracy on real samples after training on made ones"
    ),
    "class_diversity": Measure(
        label="diversity within a class, relative to real",
        better="higher",
        meaning="1 where a class varies as real does",
    ),
    "class_accuracy": Measure(label="accuracy of classes", better="higher"),
}
"""From perceptual to iou a picture is compared with its truth (accuracy and iou: of label maps, the four before them:
of pictures); from kid to energy the outputs as a set with real samples (energy: points); from parzen to class_diversity
by protocols that reports and evaluations follow; class_accuracy is that of a method's own classifier."""
