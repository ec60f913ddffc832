"""Pricing: what an hour of an instance costs, at AWS and on this machine."""

from functools import cache

from tobo.compute import limits
from tobo.compute.instances import instance
from tobo.kit.fault import Fault
from tobo.settings import Settings

HOURS_A_YEAR = 8766.0
"""365.25 days."""


SERVERLESS_GIB_SECOND = 0.00002
"""US dollars a second of work and GiB of memory of serverless inference, us-east-1, approximate, 2025 (AWS's pricing page)."""

_SERVERLESS = "serverless."


def serverless_type(mebibytes: int) -> str:
    """What a serverless variant of that MemorySizeInMB is called among instance types."""
    return f"{_SERVERLESS}{mebibytes}"


def _gibibytes(instance_type: str) -> float | None:
    """The memory of a serverless type, which has as many processors; None of others."""
    kind, serverless, mebibytes = instance_type.partition(_SERVERLESS)
    return int(mebibytes) / 1024 if serverless and not kind else None


def list_price(instance_type: str) -> float | None:
    """US dollars an hour at AWS, from the catalogue; None where the type or its price is unknown."""
    if (gibibytes := _gibibytes(instance_type)) is not None:
        return gibibytes * SERVERLESS_GIB_SECOND * 3600
    try:
        return instance(instance_type).price
    except Fault:
        return None


def machine_price(settings: Settings) -> float:
    """US dollars an hour of this whole machine, straight-line: purchase over its lifetime, and power at its price; 0 untold."""
    purchase = settings.machine_cost / (settings.machine_years * HOURS_A_YEAR)
    return purchase + settings.machine_watts / 1000 * settings.kwh_cost


def own_price(settings: Settings, instance_type: str) -> float:
    """US dollars an hour on this machine: the share of its processors that an instance of that type may use, at most all."""
    try:
        vcpus = _gibibytes(instance_type) or instance(instance_type).vcpus
    except Fault:
        return 0.0
    return machine_price(settings) * min(vcpus / (settings.cpus or _machine_cpus()), 1.0)


@cache
def _machine_cpus() -> float:
    """Read once: it is asked for with every span."""
    return limits.machine_cpus()
