"""Machines of many jobs at once: what a list's summaries leave out, asked for by name and not one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tobo.console.prices import cost_of_training
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

LONGEST = 1024
"""Characters of a filter's value (API reference, Search)."""


@dataclass(frozen=True)
class Machine:
    """`cost` in US dollars at AWS so far, None where no price is known."""

    instance_type: str
    instances: int
    cost: float | None


def machines_of(visit: Visit, names: Sequence[str]) -> dict[str, Machine]:
    """By training job; nothing where the key may not search."""
    found: dict[str, Machine] = {}
    try:
        for some in _parted(names):
            asked = {"Name": "TrainingJobName", "Operator": "In", "Value": some}
            results = visit.quietly(
                "sagemaker",
                "Search",
                Resource="TrainingJob",
                SearchExpression={"Filters": [asked]},
                SortBy="TrainingJobName",
                MaxResults=100,
            )["Results"]
            for one in results:
                job = one["TrainingJob"]
                its = job.get("ResourceConfig", {})
                machine = Machine(its.get("InstanceType", ""), its.get("InstanceCount", 1), cost_of_training(job))
                found[job["TrainingJobName"]] = machine
    except Fault:
        return {}
    return found


def _parted(names: Sequence[str]) -> Iterator[str]:
    """With commas between them, as few as there can be."""
    text = ""
    for name in names:
        if text and len(text) + 1 + len(name) > LONGEST:
            yield text
            text = ""
        text = f"{text},{name}" if text else name
    if text:
        yield text
