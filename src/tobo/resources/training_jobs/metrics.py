"""Metric lines of a job's log become CloudWatch metrics and FinalMetricDataList."""

from typing import Any

from tobo.operations.context import Context
from tobo.resources.training_jobs.contract import PROCESS
from tobo.store.base import Row
from tobo.telemetry.base import Point
from tobo.telemetry.scrape import Scraped, scrape

NAMESPACE = "/aws/sagemaker/TrainingJobs"

_BATCH = 5_000


def scrape_log(context: Context, row: Row) -> dict[str, Any]:
    """Reads the log from where it was read last; gives what to add to `found`, {} where there is nothing new to keep.

    `_log_position` is ours: it is no member of the AWS shape, so no client sees it. It is kept when a metric was found
    or many lines were read, not at every look, since each keeping is a write to the disk.
    """
    space, stream = row.key.space, PROCESS.log_stream(row)
    definitions = [(d["Name"], d["Regex"]) for d in row.asked["AlgorithmSpecification"].get("MetricDefinitions", [])]
    begin = position = row.found.get("_log_position", 0)
    observed: list[Scraped] = []
    read = 0
    while lines := context.logs.read(space, PROCESS.group, stream, position=position, limit=_BATCH):
        observed += scrape(lines, definitions)
        position = lines[-1].end
        read += len(lines)
    if not observed:
        return {"_log_position": position} if position > begin and read >= _BATCH else {}
    dimensions = {"TrainingJobName": row.key.name}
    context.metrics.put(space, [Point(NAMESPACE, name, dimensions, at, value) for at, name, value in observed])
    final = {metric["MetricName"]: metric for metric in row.found.get("FinalMetricDataList", [])}
    final |= {name: {"MetricName": name, "Value": value, "Timestamp": at} for at, name, value in observed}
    return {"FinalMetricDataList": list(final.values()), "_log_position": position}
