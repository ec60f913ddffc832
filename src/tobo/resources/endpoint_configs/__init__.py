"""Endpoint configurations: which models an endpoint serves, on how many machines of which type."""

from tobo.resources.endpoint_configs import api

__all__ = ["api"]
