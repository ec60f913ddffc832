"""CloudWatch metrics: put as data points, asked as statistics of periods."""

from tobo.resources.metrics import api

__all__ = ["api"]
