"""Tags of any SageMaker resource, by its ARN."""

from tobo.resources.tags import api

__all__ = ["api"]
