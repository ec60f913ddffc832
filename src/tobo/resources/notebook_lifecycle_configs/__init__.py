"""Lifecycle configurations: scripts that run when a notebook instance is made and when it starts."""

from tobo.resources.notebook_lifecycle_configs import api

__all__ = ["api"]
