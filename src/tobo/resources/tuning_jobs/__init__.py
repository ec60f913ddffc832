"""Hyperparameter tuning jobs: many training jobs, each with hyperparameters chosen from what the others found."""

from tobo.resources.tuning_jobs import api, work

__all__ = ["api", "work"]
