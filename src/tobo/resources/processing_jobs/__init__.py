"""Processing jobs: a program, its data from S3 and its results to S3, from CreateProcessingJob to the last upload."""

from tobo.resources.processing_jobs import api, work

__all__ = ["api", "work"]
