"""Budgets: what an account wants to spend, and who is told when it does. Source: AWS Budgets API Reference."""

from tobo.resources.budgets import api, notifications, tagging, work

__all__ = ["api", "notifications", "tagging", "work"]
