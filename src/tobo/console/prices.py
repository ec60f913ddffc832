"""Prices: what an instance type costs at AWS, for orientation before and after a job; this machine costs nothing of it."""

from collections.abc import Mapping
from typing import Any

from tobo.compute.instances import PRICE_DATE, PRICE_SOURCE
from tobo.operations.pricing import list_price

SOURCE = f"{PRICE_SOURCE}, {PRICE_DATE}"


def cost(instance_type: str, seconds: float, count: int = 1) -> float | None:
    """US dollars of `count` instances for so long; None where the price is unknown. A clock that went back costs nothing."""
    price = list_price(instance_type)
    return None if price is None else price * max(seconds, 0.0) / 3600 * count


def cost_of_training(job: Mapping[str, Any]) -> float | None:
    """US dollars of a described training job so far; None where the price is unknown."""
    machine = job.get("ResourceConfig", {})
    seconds = job.get("BillableTimeInSeconds") or 0
    return cost(machine.get("InstanceType", ""), seconds, machine.get("InstanceCount", 1))
