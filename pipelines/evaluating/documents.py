"""Evaluations and drifts as plain data, for JSON: every figure with its counts and its seed."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from pipelines.evaluating.comparing import Comparison
from pipelines.evaluating.drifting import Drift
from pipelines.evaluating.evaluation import Evaluation
from pipelines.evaluating.ranking import Ranked
from pipelines.evaluating.sets import PictureSet
from translate.metrics.manifold import COVERAGE_NEIGHBOURS, PRECISION_NEIGHBOURS, Share, expected_coverage
from translate.metrics.two_sample import TwoSampleTest

Document = dict[str, Any]


def evaluation_document(evaluation: Evaluation) -> Document:
    """An evaluation of pictures."""
    reference = evaluation.reference
    return {
        "kind": "evaluation",
        "features": evaluation.features,
        "seed": evaluation.seed,
        "made": _set(evaluation.made),
        "real": _set(evaluation.real),
        "figures": _comparison(evaluation.comparison, evaluation.frechet_name),
        "reference": _comparison(reference, evaluation.frechet_name) if reference else None,
        "surest_made": _ranking(evaluation.surest_made),
        "surest_real": _ranking(evaluation.surest_real),
        "notes": list(evaluation.notes),
    }


def drift_json(result: Drift) -> str:
    """A drift as indented JSON, with the score of every production picture."""
    return written(
        {
            "kind": "drift",
            "verdict": result.verdict,
            "words": result.words,
            "features": result.features,
            "seed": result.seed,
            "alpha": result.alpha,
            "training": _set(result.training),
            "production": _set(result.production),
            "two_sample": _test(result.test) | {"detectable_accuracy": result.test.detectable(result.alpha)},
            "ranked": _ranking(result.ranked),
            "notes": list(result.notes),
        }
    )


def written(document: Document) -> str:
    """A document as indented JSON, with the version that wrote it; null for figures that are infinite or undefined."""
    plain = _plain({"pixturn": _version(), **document})
    return json.dumps(plain, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    """JSON knows finite numbers only."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("Sequence[object]", value)]
    return value


def _version() -> str:
    try:
        return version("pixturn")
    except PackageNotFoundError:  # run from the source tree
        return "unknown"


def _set(pictures: PictureSet) -> Document:
    return {
        "where": pictures.where,
        "found": pictures.found,
        "compared": len(pictures),
        "compared_at_px": pictures.pixels.shape[1],
        "median_shorter_side_px": pictures.original_side_px,
        "left_out": [asdict(each) for each in pictures.left_out],
    }


def _comparison(comparison: Comparison, frechet_name: str) -> Document:
    shares, counts = comparison.manifold, (comparison.frechet.outputs, comparison.frechet.reals)
    return {
        "frechet": {"name": frechet_name, **asdict(comparison.frechet), "reliable": comparison.frechet.reliable},
        "kid": asdict(comparison.kernel),
        "precision": _share(shares.precision) | {"k": PRECISION_NEIGHBOURS},
        "recall": _share(shares.recall) | {"k": PRECISION_NEIGHBOURS},
        "density": _share(shares.density) | {"k": COVERAGE_NEIGHBOURS},
        "coverage": _share(shares.coverage) | {"k": COVERAGE_NEIGHBOURS, "expected": expected_coverage(*counts)},
        "two_sample": _test(comparison.test),
        "diversity": {"made": comparison.diversity, "real": comparison.real_diversity},
    }


def _share(share: Share) -> Document:
    return {"value": share.value, "interval": list(share.interval), "pictures": len(share.each)}


def _test(test: TwoSampleTest) -> Document:
    return {
        "accuracy": test.accuracy,
        "interval": list(test.interval),
        "correct": test.correct,
        "held_out": test.held_out,
        "p_normal": test.p_normal,
        "p_exact": test.p_exact,
    }


def _ranking(pictures: tuple[Ranked, ...]) -> list[Document]:
    return [{"name": each.name, "score": each.score} for each in pictures]
