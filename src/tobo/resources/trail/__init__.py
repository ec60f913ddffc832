"""The audit log as CloudTrail shows it."""

from tobo.resources.trail import api

__all__ = ["api"]
