"""What devices ask and tell: their registration, what they are to have, and their heartbeats (sagemaker-edge)."""

from tobo.resources.edge_runtime import api, heartbeats

__all__ = ["api", "heartbeats"]
