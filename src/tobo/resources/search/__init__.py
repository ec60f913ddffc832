"""Search over every kind of resource, by any of their properties."""

from tobo.resources.search import api

__all__ = ["api"]
