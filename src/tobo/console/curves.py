"""Curves: what training jobs have reported of their metrics, point by point."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tobo.console.visit import Visit

NAMESPACE = "/aws/sagemaker/TrainingJobs"
MOST_METRICS = 20


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
        metrics = sorted(
            one["MetricName"] for one in job.get("FinalMetricDataList", []) if family(one["MetricName"]) == wanted
        )[:MOST_METRICS]
        if not metrics:
            continue
        points = _points(visit, name, metrics, job["CreationTime"])
        start = job.get("TrainingStartTime") or job["CreationTime"]
        for metric in metrics:
            title = metric if len(jobs) == 1 else f"{name} · {metric}"
            found.append({"name": title, "points": [[round(at - start, 3), value] for at, value in points[metric]]})
    return found


def _points(visit: Visit, job: str, metrics: Sequence[str], since: float) -> dict[str, list[tuple[float, float]]]:
    """(epoch seconds, value) of each metric."""
    begin = datetime.fromtimestamp(since, UTC)
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": metric,
                    "Dimensions": [{"Name": "TrainingJobName", "Value": job}],
                },
                "Period": 1,
                "Stat": "Average",
            },
        }
        for number, metric in enumerate(metrics)
    ]
    asked: dict[str, Any] = {
        "MetricDataQueries": queries,
        "StartTime": begin - timedelta(seconds=60),
        "EndTime": datetime.fromtimestamp(visit.context.clock.now(), UTC) + timedelta(seconds=60),
        "ScanBy": "TimestampAscending",
    }
    values: dict[str, list[tuple[float, float]]] = {metric: [] for metric in metrics}
    while True:
        found = visit.quietly("cloudwatch", "GetMetricData", **asked)
        for one in found["MetricDataResults"]:
            times = [at.timestamp() if isinstance(at, datetime) else at for at in one["Timestamps"]]
            values[metrics[int(one["Id"][1:])]] += zip(times, one["Values"], strict=True)
        if not found.get("NextToken"):
            return values
        asked["NextToken"] = found["NextToken"]
