"""Algorithms that people make: an image with what may be asked of it, for training and tuning jobs to name."""

from tobo.resources.algorithms import api, work

__all__ = ["api", "work"]
