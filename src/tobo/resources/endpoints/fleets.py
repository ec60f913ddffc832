"""Fleets: the variants of one deployment with their replicas, as plain data. Pure.

An endpoint's row holds up to three in `found`: `_fleet` answers, `_next` is being made, `_old` is going. Each is

    {"number": which deployment of the endpoint, "config": its EndpointConfigName, "since": epoch seconds,
     "deployment": its DeploymentConfig, "serving_since": when traffic began to move to it, or None,
     "variants": [...], "before": {"variants", "last"} as they were when a resize began, or None,
     "replicas": [{"number", "variant", "ready"}], "last": the highest number that a replica was given,
     and what the configuration says about the endpoint as a whole: see OF_THE_CONFIG}

A replica is written here before it is started, and its number is never given twice.
"""

from collections.abc import Collection, Mapping
from typing import Any

from tobo.store.base import Row

Fleet = Mapping[str, Any]
Variant = Mapping[str, Any]
Replica = Mapping[str, Any]

OF_THE_CONFIG = ("DataCaptureConfig", "AsyncInferenceConfig")
"""Members of an endpoint configuration that a fleet keeps under their own names where they are given."""


def new_fleet(
    number: int, config: Mapping[str, Any], variants: list[dict[str, Any]], now: float, deployment: Mapping[str, Any]
) -> dict[str, Any]:
    """A fleet of which nothing was started yet, with all replicas that its variants want."""
    fleet: dict[str, Any] = {
        "number": number,
        "config": config["EndpointConfigName"],
        "since": now,
        "deployment": deployment,
        "serving_since": None,
        "variants": variants,
        "before": None,
        "replicas": [],
        "last": 0,
        **{member: config[member] for member in OF_THE_CONFIG if config.get(member)},
    }
    for variant in variants:
        # A serverless variant begins with a replica too, so that a model that does not start is found out.
        fleet = grown(fleet, variant["VariantName"], 1 if variant.get("ServerlessConfig") else variant["InstanceCount"])
    return fleet


def instances_of(fleet: Fleet) -> int:
    """The size of a fleet, in which a serverless or paused variant counts as one instance."""
    return sum(max(1, variant["InstanceCount"]) for variant in fleet["variants"])


def grown(fleet: Fleet, variant: str, count: int) -> dict[str, Any]:
    """The fleet with at least `count` replicas of a variant."""
    missing = count - len(replicas_of(fleet, variant))
    numbers = range(fleet["last"] + 1, fleet["last"] + 1 + max(0, missing))
    added = [{"number": number, "variant": variant, "ready": False} for number in numbers]
    return {**fleet, "replicas": [*fleet["replicas"], *added], "last": fleet["last"] + len(added)}


def shrunk(fleet: Fleet, variant: str, count: int) -> tuple[dict[str, Any], list[Replica]]:
    """The fleet with at most `count` replicas of a variant, and those that are too many; ready ones stay."""
    own = sorted(replicas_of(fleet, variant), key=lambda replica: not replica["ready"])
    surplus = own[count:]
    return without(fleet, [replica["number"] for replica in surplus]), surplus


def replaced(fleet: Fleet, numbers: Collection[int]) -> dict[str, Any]:
    """The fleet with new replicas in the places of those numbers."""
    gone = [replica for replica in fleet["replicas"] if replica["number"] in numbers]
    changed = without(fleet, numbers)
    for replica in gone:
        changed = grown(changed, replica["variant"], len(replicas_of(changed, replica["variant"])) + 1)
    return changed


def without(fleet: Fleet, numbers: Collection[int]) -> dict[str, Any]:
    """The fleet less those replicas."""
    return {**fleet, "replicas": [replica for replica in fleet["replicas"] if replica["number"] not in numbers]}


def died_starting(before: Fleet, after: Fleet) -> bool:
    """Whether a replica that had never been ready had to be replaced between the two."""
    kept = {replica["number"] for replica in after["replicas"]}
    return any(not replica["ready"] and replica["number"] not in kept for replica in before["replicas"])


def settled(fleet: Fleet) -> tuple[dict[str, Any], dict[str, Any]]:
    """A resized fleet with exactly the replicas that its variants want, and a fleet of those that are too many."""
    surplus: list[Replica] = []
    changed: dict[str, Any] = {**fleet, "before": None}
    for variant in fleet["variants"]:
        if not variant.get("ServerlessConfig"):
            changed, own = shrunk(changed, variant["VariantName"], variant["InstanceCount"])
            surplus += own
    return changed, {**fleet, "replicas": surplus}


def restored(fleet: Fleet) -> tuple[dict[str, Any], dict[str, Any]]:
    """As `settled`, for a resize that failed: with the variants as they were before."""
    return settled({**fleet, "variants": fleet["before"]["variants"]})


def replicas_of(fleet: Fleet, variant: str) -> list[Replica]:
    return [replica for replica in fleet["replicas"] if replica["variant"] == variant]


def variant_of(fleet: Fleet, name: str) -> Variant:
    """Raises StopIteration where the fleet has none of that name."""
    variant: Variant = next(variant for variant in fleet["variants"] if variant["VariantName"] == name)
    return variant


def group_of(row: Row, fleet: Fleet, variant: str) -> str:
    """The hosting group of a variant: who may answer a request to it. A new deployment is another group."""
    space, _, name = row.key
    return f"{space.account}/{space.region}/{name}/{row.id}-{fleet['number']}/{variant}"


def name_of(row: Row, fleet: Fleet, replica: Replica) -> str:
    """The replica's name in hosting."""
    return f"{group_of(row, fleet, replica['variant'])}/{replica['number']}"
