"""CloudWatch alarms: a metric is watched, and what its state asks for is done."""

from tobo.resources.alarms import api, composite, history, tagging, topics, work

__all__ = ["api", "composite", "history", "tagging", "topics", "work"]
