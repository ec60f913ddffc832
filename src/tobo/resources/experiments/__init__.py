"""Experiments: trials of an idea, made of trial components, which carry parameters, artefacts and metrics."""

from tobo.resources.experiments import components, experiments, members, metrics, trials

__all__ = ["components", "experiments", "members", "metrics", "trials"]
