"""Costs: what resources have used, by day, kind, tag and user. Source: AWS Cost Explorer API Reference."""

from tobo.resources.costs import api, work

__all__ = ["api", "work"]
