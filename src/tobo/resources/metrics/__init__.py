"""CloudWatch metrics: put as data points, asked as statistics of periods."""

from tobo.resources.metrics import api, work

__all__ = ["api", "work"]
