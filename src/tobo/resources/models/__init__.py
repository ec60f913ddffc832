"""Models: an image and the artefact that it serves."""

from tobo.resources.models import api

__all__ = ["api"]
