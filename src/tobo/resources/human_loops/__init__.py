"""Human loops: one doubtful prediction that people look at, from StartHumanLoop to output.json in S3 (Amazon A2I)."""

from tobo.resources.human_loops import api, work, workers

__all__ = ["api", "work", "workers"]
