"""Edge packaging jobs: a compiled model becomes a signed bundle that devices accept."""

from tobo.resources.edge_packaging_jobs import api, work

__all__ = ["api", "work"]
