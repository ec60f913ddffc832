"""Lineage: artifacts, actions and contexts, and the associations that lead from one to the next."""

from tobo.resources.lineage import artifacts, associations, named, query

__all__ = ["artifacts", "associations", "named", "query"]
