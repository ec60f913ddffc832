"""Event rules: who is told when a resource changes its state. Source: Amazon EventBridge API Reference; SageMaker Developer
Guide, "Events that SageMaker sends to EventBridge"."""

from tobo.resources.event_rules import api, targets, work

__all__ = ["api", "targets", "work"]
