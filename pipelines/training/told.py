"""What is found about a run's health, in the report's words."""

from collections.abc import Mapping
from typing import Final

from pipelines.report import Finding
from pipelines.report.model import Severity
from translate.metrics.finding import Finding as HealthFinding

_SEVERITIES: Final[Mapping[str, Severity]] = {"note": "info", "warning": "warning", "error": "error"}


def told(finding: HealthFinding) -> Finding:
    """A finding of the metrics as one of the report."""
    return Finding(severity=_SEVERITIES[finding.severity], message=finding.message, remedy=finding.remedy)
