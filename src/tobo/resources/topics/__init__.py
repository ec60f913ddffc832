"""Topics: messages to people and programs that have subscribed. Source: Amazon SNS API Reference."""

from tobo.resources.topics import api, publishing, subscriptions, tagging, work

__all__ = ["api", "publishing", "subscriptions", "tagging", "work"]
