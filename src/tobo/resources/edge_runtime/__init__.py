"""What devices ask, tell and show: registration, deployments, heartbeats (sagemaker-edge), live views (tobo-edge)."""

from tobo.resources.edge_runtime import api, heartbeats, live

__all__ = ["api", "heartbeats", "live"]
