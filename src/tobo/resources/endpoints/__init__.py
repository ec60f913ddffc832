"""Endpoints: replicas of a model behind InvokeEndpoint."""

from tobo.resources.endpoints import api, invoke, work

__all__ = ["api", "invoke", "work"]
