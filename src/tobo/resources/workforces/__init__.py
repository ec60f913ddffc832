"""Workforces: whose people label in a region, and how they sign in."""

from tobo.resources.workforces import api

__all__ = ["api"]
