"""Autoscaling: how many instances the variants of endpoints have, by their load and by the clock."""

from tobo.resources.autoscaling import activities, calls, policies, scheduled, tagging, targets, work

__all__ = ["activities", "calls", "policies", "scheduled", "tagging", "targets", "work"]
