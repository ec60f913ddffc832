"""Secrets: passwords and tokens by name, as AWS Secrets Manager keeps them. Source: AWS Secrets Manager API Reference."""

from tobo.resources.secrets import api, listing, values, work

__all__ = ["api", "listing", "values", "work"]
