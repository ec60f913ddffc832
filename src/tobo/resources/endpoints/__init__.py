"""Endpoints: replicas of a model behind InvokeEndpoint."""

from tobo.resources.endpoints import api, asynchronous, invoke, streaming, work

__all__ = ["api", "asynchronous", "invoke", "streaming", "work"]
