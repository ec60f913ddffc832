"""Compilation jobs: a model's archive, and from it one for a target, from CreateCompilationJob to its certificate."""

from tobo.resources.compilation_jobs import api, work

__all__ = ["api", "work"]
