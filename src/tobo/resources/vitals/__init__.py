"""Vital signs: what the house watches by itself, as metrics, and the alarms that each endpoint, fleet and machine is born with."""

from tobo.resources.vitals import work

__all__ = ["work"]
