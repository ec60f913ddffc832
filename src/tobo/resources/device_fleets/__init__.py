"""Device fleets: devices that run the same models, and where in S3 they leave what they send home."""

from tobo.resources.device_fleets import api

__all__ = ["api"]
