"""Metrics of trial components. Source: SageMaker Metrics API reference, BatchPutMetrics and BatchGetMetrics.

A value is kept twice where it has a step: by its time, and in a series of its own whose "time" is the step.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.recording import summarize
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.experiments.components import KIND
from tobo.resources.experiments.members import component_arn
from tobo.resources.experiments.names import known
from tobo.store.base import Row
from tobo.telemetry.base import MetricName, Observation, Point

NAMESPACE = "/aws/sagemaker/TrialComponents"
STEPS = f"{NAMESPACE}/steps"
_DIMENSION = "TrialComponentName"

_JOBS = {"training-job": ("/aws/sagemaker/TrainingJobs", "TrainingJobName")}
"""Where the metrics of a component's source are, by the source's kind: (namespace, dimension)."""

_PERIODS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600}
_MOST_POINTS = 1000
"""Points that a query answers; what is beyond is said to be truncated."""
_EVER = 1e12

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Min": min,
    "Max": max,
    "Avg": statistics.fmean,
    "Count": lambda values: float(len(values)),
    "StdDev": statistics.pstdev,
    "Last": lambda values: values[-1],
}


@operation("sagemaker-metrics", "BatchPutMetrics", resource=component_arn)
def batch_put_metrics(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps the values and carries the component's summaries on. A value that is no number is told of at its index."""
    row = known(call, KIND, asked["TrialComponentName"])
    errors, good = [], []
    for index, datum in enumerate(asked["MetricData"]):
        if math.isfinite(datum["Value"]):
            good.append(datum)
        else:
            errors.append({"Code": "VALIDATION_ERROR", "MetricIndex": index})
    points = []
    for datum in good:
        series = {"name": datum["MetricName"], "dimensions": {_DIMENSION: row.key.name}, "value": datum["Value"]}
        points.append(Point(NAMESPACE, at=datum["Timestamp"].timestamp(), **series))
        if "Step" in datum:
            points.append(Point(STEPS, at=float(datum["Step"]), **series))
    call.context.metrics.put(call.space, points)
    if good:
        change_row(
            call,
            lambda: known(call, KIND, asked["TrialComponentName"]),
            "measured",
            lambda row: {"found": {**row.found, **_carried(row, good)}},
        )
    return {"Errors": errors} if errors else {}


@operation("sagemaker-metrics", "BatchGetMetrics", resource=lambda call, asked: "*")
def batch_get_metrics(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A result a query, in their order; a query that cannot be answered says why and leaves the others be."""
    return {"MetricQueryResults": [_answer(call, query) for query in asked["MetricQueries"]]}


def _answer(call: Call, query: Mapping[str, Any]) -> dict[str, Any]:
    try:
        points = _points(call, query)
    except Fault as fault:
        return {"Status": "ValidationError", "Message": fault.message, "XAxisValues": [], "MetricValues": []}
    told = points[:_MOST_POINTS]
    return {
        "Status": "Complete" if len(points) <= _MOST_POINTS else "Truncated",
        "XAxisValues": [at for at, _ in told],
        "MetricValues": [value for _, value in told],
    }


def _points(call: Call, query: Mapping[str, Any]) -> list[tuple[int, float]]:
    """(iteration or epoch seconds, the statistic there), in order."""
    by_step = query["XAxisType"] == "IterationNumber"
    if by_step != (query["Period"] == "IterationNumber"):
        raise validation(
            f"Period {query['Period']} does not go with XAxisType {query['XAxisType']}; "
            "give IterationNumber for both, or a length of time with Timestamp."
        )
    start, end = query.get("Start", 0), query.get("End", _EVER)
    groups: dict[int, list[float]] = {}
    for observed in _observations(call, query["ResourceArn"], query["MetricName"], by_step):
        if start <= observed.at <= end:
            period = 1 if by_step else _PERIODS[query["Period"]]
            groups.setdefault(int(observed.at // period) * period, []).append(observed.value)
    statistic = _STATISTICS[query["MetricStat"]]
    return [(at, statistic(values)) for at, values in sorted(groups.items())]


def _observations(call: Call, arn: str, name: str, by_step: bool) -> list[Observation]:
    """By time, or by step: values that were put without one, as those of a job's log are, count from 0."""
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space:
        raise validation(f"'{arn}' does not exist; give the ARN of a trial component or of a training job.")

    def values(namespace: str, dimensions: Mapping[str, str]) -> list[Observation]:
        return call.context.metrics.values(call.space, MetricName(namespace, name, dimensions), 0.0, _EVER)

    if row.key.kind == KIND:
        own = {_DIMENSION: row.key.name}
        if by_step and (found := values(STEPS, own)):
            return found
        found = values(NAMESPACE, own)
        source = call.context.store.find_arn(row.found.get("_source", ""))
        row = row if source is None else source
    else:
        found = []
    if not found and row.key.kind in _JOBS:
        namespace, dimension = _JOBS[row.key.kind]
        found = values(namespace, {dimension: row.key.name})
    return [Observation(float(number), one.value, one.weight) for number, one in enumerate(found)] if by_step else found


def _carried(row: Row, data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The component's Metrics with new data in them."""
    known = {summary["MetricName"]: summary for summary in row.found.get("Metrics", [])}
    for datum in data:
        name = datum["MetricName"]
        observed = Observation(datum["Timestamp"].timestamp(), datum["Value"], 1.0)
        known[name] = {**summarize(name, [observed], known.get(name)), "SourceArn": row.arn}
    return {"Metrics": list(known.values())}
