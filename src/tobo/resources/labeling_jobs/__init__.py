"""Labelling jobs: photos and texts that people label, from CreateLabelingJob to the output manifest."""

from tobo.resources.labeling_jobs import api, work, workers

__all__ = ["api", "work", "workers"]
