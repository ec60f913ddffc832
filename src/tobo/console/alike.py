"""Jobs alike: how long the completed training jobs of an image took on an instance type, and what that would cost at AWS."""

import statistics
from dataclasses import dataclass

from tobo.console import prices
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

NEWEST = 20
"""Jobs that are looked at."""


@dataclass(frozen=True)
class Alike:
    """Seconds are those that are billed: `seconds` their median. `cost` in US dollars, None where no price is known."""

    jobs: int
    instances: int
    seconds: float
    shortest: float
    longest: float
    cost: float | None


def alike(visit: Visit, image: str, instance_type: str, instances: int) -> Alike | None:
    """None where there were none, or the key may not search."""
    filters = [
        {"Name": "AlgorithmSpecification.TrainingImage", "Operator": "Equals", "Value": image},
        {"Name": "ResourceConfig.InstanceType", "Operator": "Equals", "Value": instance_type},
        {"Name": "ResourceConfig.InstanceCount", "Operator": "Equals", "Value": str(instances)},
        {"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Completed"},
    ]
    if not (image and instance_type):
        return None
    try:
        found = visit.quietly(
            "sagemaker",
            "Search",
            Resource="TrainingJob",
            SearchExpression={"Filters": filters},
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=NEWEST,
        )["Results"]
    except Fault:
        return None
    took = [float(one["TrainingJob"].get("BillableTimeInSeconds") or 0) for one in found]
    if not took:
        return None
    middle = statistics.median(took)
    return Alike(len(took), instances, middle, min(took), max(took), prices.cost(instance_type, middle, instances))
