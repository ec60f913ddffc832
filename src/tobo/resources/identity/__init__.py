"""Identity: the account, its keys, users, roles and policies (STS and IAM)."""

from tobo.resources.identity import access_keys, attachments, policies, roles, sts, users

__all__ = ["access_keys", "attachments", "policies", "roles", "sts", "users"]
