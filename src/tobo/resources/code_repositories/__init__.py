"""Code repositories: Git repositories by name, which notebook instances clone."""

from tobo.resources.code_repositories import api

__all__ = ["api"]
