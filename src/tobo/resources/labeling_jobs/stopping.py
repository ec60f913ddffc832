"""StoppingConditions: how many objects people may still label."""

from collections.abc import Mapping

from tobo.resources.labeling_jobs.learning import provisional
from tobo.store.base import Row


def room_for_people(row: Row, counts: Mapping[str, int], machine: int | None = None) -> int:
    """Until a condition ends the job; those that had a label already are not theirs.

    `counts` of items by their state; `machine`: labels that a round gives, in the place of those of the last one.
    """
    conditions, items = row.asked.get("StoppingConditions", {}), row.found["_items"]
    labelled = counts.get("labelled", 0)
    human = conditions.get("MaxHumanLabeledObjectCount", items) - (labelled - row.found["_kept"])
    share = items * conditions.get("MaxPercentageOfInputDatasetLabeled", 100) / 100
    there = counts.get("machine", 0) + (provisional(row) if machine is None else machine)
    return int(min(human, max(share, 1) - labelled - there))
