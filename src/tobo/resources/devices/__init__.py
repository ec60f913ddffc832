"""Devices of fleets: their registration, what they last told, and the fleet's report."""

from tobo.resources.devices import api, report

__all__ = ["api", "report"]
