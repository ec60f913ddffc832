"""Transform jobs: a model over every object of a prefix, from CreateTransformJob to <key>.out."""

from tobo.resources.transform_jobs import api, work

__all__ = ["api", "work"]
