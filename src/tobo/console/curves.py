"""Curves: what training jobs have reported of their metrics, point by point."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tobo.console.figures import Figure, points_of
from tobo.console.visit import Visit

NAMESPACE = "/aws/sagemaker/TrainingJobs"
MOST_METRICS = 20

_AROUND = 60.0
"""Seconds before and after a job in which its metrics are looked for."""


def family(metric: str) -> str:
    """train:accuracy and validation:accuracy are drawn together: accuracy."""
    return metric.rsplit(":", 1)[-1]


def families(metrics: Iterable[Mapping[str, Any]]) -> list[str]:
    """In the order of their names, accuracy first: it is what one looks for."""
    found = {family(one["MetricName"]) for one in metrics}
    return sorted(found, key=lambda name: (name != "accuracy", name))


def curves(visit: Visit, jobs: Sequence[str], wanted: str) -> list[dict[str, Any]]:
    """Series of the metrics of a family over the seconds since each job's start, a point a second at most.

    Reports within one second are their mean: CloudWatch tells no finer. One job's series bear the metric's name, those
    of several the job's name before it. Raises the operations' Faults.
    """
    found: list[dict[str, Any]] = []
    for name in jobs:
        job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
        told = (one["MetricName"] for one in job.get("FinalMetricDataList", []))
        metrics = sorted(metric for metric in told if family(metric) == wanted)[:MOST_METRICS]
        figures = [Figure(metric, {"TrainingJobName": name}) for metric in metrics]
        since, now = job["CreationTime"] - _AROUND, visit.context.clock.now() + _AROUND
        start = job.get("TrainingStartTime") or job["CreationTime"]
        for metric, points in zip(metrics, points_of(visit, NAMESPACE, figures, since, now, 1), strict=True):
            title = metric if len(jobs) == 1 else f"{name} · {metric}"
            found.append({"name": title, "points": [[round(at - start, 3), value] for at, value in points]})
    return found
