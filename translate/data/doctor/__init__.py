"""The dataset doctor: looks at every picture of a data set before training does, and lists all problems at once."""

from translate.data.doctor.collection_checks import examine_collection
from translate.data.doctor.diagnosis import Code, Diagnosis, Problem, Severity
from translate.data.doctor.examination import examine, examine_photos

__all__ = ["Code", "Diagnosis", "Problem", "Severity", "examine", "examine_collection", "examine_photos"]
