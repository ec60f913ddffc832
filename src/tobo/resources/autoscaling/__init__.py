"""Autoscaling: how many instances the variants of endpoints have, by their load and by the clock."""

from tobo.resources.autoscaling import activities, policies, scheduled, tagging, targets, work

__all__ = ["activities", "policies", "scheduled", "tagging", "targets", "work"]
