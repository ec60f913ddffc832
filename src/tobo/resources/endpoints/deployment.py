"""How an update moves the traffic: what a DeploymentConfig asks for, as shares over time. Pure.

Source: API reference, BlueGreenUpdatePolicy and TrafficRoutingConfig.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tobo.kit.fault import validation


@dataclass(frozen=True)
class Shift:
    """`shares[i]` of all traffic goes to the new fleet from `i * wait` seconds on; the old one stays until `end`."""

    shares: tuple[float, ...]
    wait: float
    termination_wait: float

    @property
    def end(self) -> float:
        return len(self.shares) * self.wait + self.termination_wait

    def share(self, elapsed: float) -> float:
        """The new fleet's part of the traffic, in (0, 1]."""
        step = int(elapsed / self.wait) if self.wait else len(self.shares)
        return self.shares[min(max(step, 0), len(self.shares) - 1)]


def shift_of(deployment: Mapping[str, Any], instances: int) -> Shift:
    """What a DeploymentConfig (may be empty: all at once) means for a new fleet of so many instances."""
    policy = deployment.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    shares: tuple[float, ...] = (1.0,)
    if routing["Type"] == "CANARY":
        shares = (_share(routing["CanarySize"], instances), 1.0)
    elif routing["Type"] == "LINEAR":
        step = _share(routing["LinearStepSize"], instances)
        count = math.ceil(1 / step - 1e-9)
        shares = (*(step * number for number in range(1, count)), 1.0)
    return Shift(shares, routing["WaitIntervalInSeconds"], policy.get("TerminationWaitInSeconds", 0))


def check_deployment(deployment: Mapping[str, Any], instances: int) -> None:
    """Raises Fault ValidationException for what is not built, and for steps out of AWS's bounds."""
    if deployment.get("RollingUpdatePolicy"):
        raise validation("DeploymentConfig.RollingUpdatePolicy is not supported; give a BlueGreenUpdatePolicy.")
    policy = deployment.get("BlueGreenUpdatePolicy")
    if not policy:
        return
    routing = policy["TrafficRoutingConfiguration"]
    size, least = {"CANARY": ("CanarySize", 0.0), "LINEAR": ("LinearStepSize", 0.1)}.get(routing["Type"], ("", 0.0))
    if size and not routing.get(size):
        raise validation(f"TrafficRoutingConfiguration.Type is {routing['Type']}, which needs a {size}.")
    if size and not least <= _share(routing[size], instances) <= 0.5:
        bounds = "at most 50 %" if size == "CanarySize" else "10 to 50 %"
        value, kind = routing[size]["Value"], routing[size]["Type"]
        raise validation(
            f"{size} is {value} ({kind}) of {instances} instances; it may be {bounds} of the instances of the new fleet."
        )
    shift, limit = shift_of(deployment, instances), policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None and shift.end >= limit:
        raise validation(
            f"The waits of the deployment take {shift.end:g} s together; MaximumExecutionTimeoutInSeconds of {limit} "
            "has to be more."
        )


def rollback_alarms(deployment: Mapping[str, Any]) -> list[str]:
    """The names of the alarms that take a deployment back."""
    return [alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", ())]


def _share(size: Mapping[str, Any], instances: int) -> float:
    part = size["Value"] / 100 if size["Type"] == "CAPACITY_PERCENT" else size["Value"] / max(1, instances)
    return float(part)
