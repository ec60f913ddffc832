"""The model registry: packages of models, their versions in groups, and who approved them."""

from tobo.resources.model_packages import api, groups, work

__all__ = ["api", "groups", "work"]
