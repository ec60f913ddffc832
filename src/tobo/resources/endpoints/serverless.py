"""Serverless variants: as many replicas as requests are under way, none where nobody asks."""

import time

from tobo.kit.fault import Fault
from tobo.resources.endpoints.fleets import Variant


class Demand:
    """The requests to one serverless variant that are under way: entered and left in the event loop, read by the work."""

    def __init__(self) -> None:
        self.limit = 1
        self.busy = 0
        self._last = time.monotonic()

    def __enter__(self) -> None:
        """Raises Fault ThrottlingException where as many requests are under way as the variant may have."""
        if self.busy >= self.limit:
            raise Fault(
                "ThrottlingException",
                f"{self.busy} requests are under way, as many as MaxConcurrency allows; try again later.",
                429,
                retry_after=1,
            )
        self.busy += 1

    def __exit__(self, *error: object) -> None:
        self.busy -= 1
        self._last = time.monotonic()

    @property
    def idle(self) -> float:
        """Seconds since a request was answered last."""
        return time.monotonic() - self._last


def replicas_wanted(variant: Variant, demand: Demand, have: int, most: int, idle_after: float) -> int:
    """One for each request under way, `most` at most; after `idle_after` seconds of rest only what is provisioned."""
    least: int = min(variant["ServerlessConfig"].get("ProvisionedConcurrency", 0), most)
    if not demand.busy and demand.idle >= idle_after:
        return least
    return max(least, have, min(demand.busy, most))
