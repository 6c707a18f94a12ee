"""Labels for a few samples only: the others' are hidden from training, to learn how much the unlabelled ones help."""

from dataclasses import replace

import numpy as np

from translate.data.collection import Part
from translate.data.domains import OneDomain
from translate.data.holdout import hash_of
from translate.errors import DatasetError
from translate.unlabelled import UNLABELLED


def with_few_labels(part: Part, domain: OneDomain) -> Part:
    """The split with the labels of `labels_a_class` samples of each class, those with the lowest hashes; others -1.

    Raises DatasetError where a class has fewer samples.
    """
    if not domain.labelled or part.labels is None or not domain.labels_a_class:
        return part
    kept = np.full_like(part.labels, UNLABELLED)
    keys = part.keys
    order = np.array(sorted(range(len(part)), key=lambda index: hash_of(keys[index])))
    for number, name in enumerate(domain.classes):
        first = order[part.labels[order] == number][: domain.labels_a_class]
        if len(first) < domain.labels_a_class:
            raise DatasetError(f"--labels-a-class {domain.labels_a_class}: the class {name} has {len(first)} samples")
        kept[first] = number
    return replace(part, labels=kept)
