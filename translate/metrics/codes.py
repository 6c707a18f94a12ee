"""What codes that were learnt without labels mean: a categorical code as a classifier, a continuous one as a dial.

After Chen et al. 2016 ("InfoGAN", section 7.2): each value of the categorical code is matched to one class, and what is
then wrong is the error. A dial is monotone if something measurable (slant, stroke width) rises with it throughout.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from torch import Tensor

from translate.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class CodeMatch:
    """Which class each value of a code stands for (-1: none), and the counts that show it, codes x classes.

    `error` is the share of pictures whose code stands for another class. A matching that is found on the pictures that
    it is judged by is a little too good: with hundreds of them by nothing that shows.
    """

    classes: tuple[int, ...]
    counts: Tensor
    error: float

    def error_on(self, codes: Tensor, labels: Tensor) -> float:
        """The error of this matching on other pictures: N codes, N labels."""
        _require_codes(codes, labels, self.counts.shape[0], self.counts.shape[1])
        meant = torch.tensor(self.classes)[codes.cpu()]
        return float((meant != labels.cpu()).double().mean())


def match_codes(codes: Tensor, labels: Tensor, *, values: int, classes: int) -> CodeMatch:
    """The one-to-one matching of a code's values to classes that is wrong least often (Hungarian method).

    Args:
        codes: N values of a categorical code, 0 to `values` - 1, as read from N pictures.
        labels: The N true classes, 0 to `classes` - 1.
        values: How many the code has; values beyond the classes stand for nothing, and are always wrong.
        classes: How many there are.

    Raises:
        ConfigurationError: No pictures, or numbers out of range.
    """
    _require_codes(codes, labels, values, classes)
    pairs = codes.cpu().long() * classes + labels.cpu().long()
    counts = torch.bincount(pairs, minlength=values * classes).view(values, classes)
    rows, columns = linear_sum_assignment(counts.numpy(), maximize=True)
    meant = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    right = sum(int(counts[code, label]) for code, label in meant.items())
    return CodeMatch(
        classes=tuple(meant.get(code, -1) for code in range(values)),
        counts=counts,
        error=1 - right / len(labels),
    )


@dataclass(frozen=True, kw_only=True)
class Monotonicity:
    """How steadily something measured follows a code: Spearman's rank correlation, from -1 to 1.

    `mean` is over traversals and keeps its sign, so that some that rise and some that fall cancel; `weakest` is the
    traversal that follows the common direction least.
    """

    mean: float
    weakest: float
    traversals: int

    def __str__(self) -> str:
        return f"Spearman {self.mean:+.2f} (weakest {self.weakest:+.2f}) over {self.traversals} traversals"


def monotonicity(code: Tensor, measured: Tensor) -> Monotonicity:
    """Spearman's correlation of a code with a measure, along each traversal.

    Args:
        code: T values of the code, of which at least three differ.
        measured: R x T: the measure of R traversals, each with its own other noise. A traversal without any change
            counts as 0, and one with a value that is not finite (a blank picture has no slant) as 0 too.

    Raises:
        ConfigurationError: The shapes do not fit, or there are fewer than three values.
    """
    if code.ndim != 1 or measured.ndim != 2 or measured.shape[1] != len(code) or len(code.unique()) < 3:
        raise ConfigurationError(
            f"A traversal of {tuple(code.shape)} values does not fit measures of shape {tuple(measured.shape)}: "
            "give T values, at least three different ones, and R x T measures"
        )
    ranks = rankdata(code.cpu().double().numpy())
    each = np.array([_spearman(ranks, row) for row in measured.cpu().double().numpy()])
    mean = float(each.mean())
    weakest = float(each.min() if mean >= 0 else each.max())
    return Monotonicity(mean=mean, weakest=weakest, traversals=len(each))


def _spearman(code_ranks: np.ndarray, row: np.ndarray) -> float:
    """Where scipy's `spearmanr` warns of constant rows and gives NaN, here they follow nothing: 0."""
    if not np.isfinite(row).all() or np.ptp(row) == 0:
        return 0.0
    return float(np.corrcoef(code_ranks, rankdata(row))[0, 1])


def _require_codes(codes: Tensor, labels: Tensor, values: int, classes: int) -> None:
    if codes.ndim != 1 or codes.shape != labels.shape or len(codes) == 0:
        raise ConfigurationError(
            f"Codes of shape {tuple(codes.shape)} do not fit labels of shape {tuple(labels.shape)}: give one of each a "
            "picture, and at least one picture"
        )
    for name, numbers, count in (("codes", codes, values), ("labels", labels, classes)):
        if int(numbers.min()) < 0 or int(numbers.max()) >= count:
            raise ConfigurationError(
                f"{name} run from {int(numbers.min())} to {int(numbers.max())}, they must lie between 0 and {count - 1}"
            )
