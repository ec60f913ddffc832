"""User pools: people with names, passwords and groups; in SageMaker, those who label."""

from tobo.resources.user_pools import clients, groups, pools, signing_in, users

__all__ = ["clients", "groups", "pools", "signing_in", "users"]
