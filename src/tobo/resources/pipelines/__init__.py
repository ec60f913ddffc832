"""Pipelines: steps that are jobs, models and decisions, in the order of what they need from one another."""

from tobo.resources.pipelines import api, callbacks, executions, versions, work

__all__ = ["api", "callbacks", "executions", "versions", "work"]
