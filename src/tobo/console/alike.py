"""Jobs alike: how long the completed training jobs of an image took on an instance type, and what a job will take by them."""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tobo.console import prices
from tobo.console.hyperparameters import declared
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

NEWEST = 20
"""Jobs that are looked at."""

EPOCHS, PICTURES = "epochs", "num_training_samples"
"""The hyperparameters that a training's time grows with: epochs times pictures are the work that it does."""


@dataclass(frozen=True)
class Alike:
    """Seconds are those that are billed: `seconds` in the middle of what the jobs say. `cost` in US dollars, None where no
    price is known. `epochs` (and `pictures`, where every job tells of them) are those that the seconds are scaled to,
    None where they are the jobs' own.
    """

    jobs: tuple[str, ...]
    instances: int
    seconds: float
    shortest: float
    longest: float
    cost: float | None
    epochs: int | None = None
    pictures: int | None = None


def alike(
    visit: Visit, image: str, instance_type: str, instances: int, wanted: Mapping[str, str] | None = None
) -> Alike | None:
    """`wanted` are the hyperparameters of the job to come: what the others took is scaled to its epochs and pictures. Where
    some jobs differ in these two alone, they alone count.

    None where there were none, or the key may not search.
    """
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
    jobs = [one["TrainingJob"] for one in found]
    if not jobs:
        return None
    defaults = {one.name: str(one.default) for group in declared(image) for one in group if one.default is not None}
    asked = {**defaults, **(wanted or {})}
    hypers = {job["TrainingJobName"]: {**defaults, **job.get("HyperParameters", {})} for job in jobs}
    jobs = [job for job in jobs if _rest(hypers[job["TrainingJobName"]]) == _rest(asked)] or jobs
    took = [float(job.get("BillableTimeInSeconds") or 0) for job in jobs]
    epochs, pictures = _count(asked, EPOCHS), _count(asked, PICTURES)
    done = [hypers[job["TrainingJobName"]] for job in jobs]
    if pictures is None or not all(_count(hyper, PICTURES) for hyper in done):
        pictures = None
    works = [(_count(hyper, EPOCHS) or 0) * (_count(hyper, PICTURES) or 1 if pictures else 1) for hyper in done]
    if epochs is None or not all(works):
        epochs = pictures = None
    else:
        took = scaled(list(zip(works, took, strict=True)), epochs * (pictures or 1))
    middle = statistics.median(took)
    cost = prices.cost(instance_type, middle, instances)
    names = tuple(str(job["TrainingJobName"]) for job in jobs)
    return Alike(names, instances, middle, min(took), max(took), cost, epochs, pictures)


def scaled(jobs: Sequence[tuple[int, float]], work: int) -> list[float]:
    """(work, seconds) of jobs -> what each says that `work` takes, in seconds.

    Jobs of different work tell what of their time grows with it (Theil-Sen: the median of the slopes of all pairs; Sen,
    "Estimates of the regression coefficient based on Kendall's tau", 1968) and what does not. Jobs that all did the same
    cannot tell; all of their time is taken to grow, which is too much for more work and too little for less.
    """
    slopes = [(t1 - t0) / (w1 - w0) for (w0, t0), (w1, t1) in combinations(jobs, 2) if w0 != w1]
    if not slopes:
        return [seconds * work / its for its, seconds in jobs]
    slope = max(0.0, statistics.median(slopes))
    return [max(0.0, seconds + slope * (work - its)) for its, seconds in jobs]


def _rest(hyper: Mapping[str, str]) -> dict[str, str]:
    """What else tells two jobs apart."""
    return {name: value for name, value in hyper.items() if name not in (EPOCHS, PICTURES)}


def _count(hyper: Mapping[str, Any], name: str) -> int | None:
    found = re.fullmatch("[1-9][0-9]{0,11}", str(hyper.get(name, "")))
    return int(found[0]) if found else None
