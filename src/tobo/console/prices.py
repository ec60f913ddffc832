"""Prices: what an instance type costs at AWS, for orientation before and after a job; this machine costs nothing of it."""

from collections.abc import Mapping
from typing import Any

from tobo.compute.instances import PRICE_DATE, PRICE_SOURCE, instance
from tobo.kit.fault import Fault

SOURCE = f"{PRICE_SOURCE}, {PRICE_DATE}"


def hourly(instance_type: str) -> float | None:
    """US dollars an hour; None where the type or its price is unknown."""
    try:
        return instance(instance_type).price
    except Fault:
        return None


def cost(instance_type: str, seconds: float, count: int = 1) -> float | None:
    """US dollars of `count` instances for so long; None where the price is unknown. A clock that went back costs nothing."""
    price = hourly(instance_type)
    return None if price is None else price * max(seconds, 0.0) / 3600 * count


def cost_of_training(job: Mapping[str, Any]) -> float | None:
    """US dollars of a described training job so far; None where the price is unknown."""
    machine = job.get("ResourceConfig", {})
    seconds = job.get("BillableTimeInSeconds") or 0
    return cost(machine.get("InstanceType", ""), seconds, machine.get("InstanceCount", 1))
