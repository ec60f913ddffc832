"""Home: what runs, what it costs, what went wrong, and what to do first."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from starlette.responses import Response

from tobo.console import prices
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit, url
from tobo.kit.fault import Fault

MOST = 100
"""Of a kind that are counted."""

DAY = timedelta(days=1)


class Kind(NamedTuple):
    """A kind of work on the front page."""

    title: str
    operation: str
    members: str
    name: str
    status: str
    path: str
    icon: str
    running: str = "InProgress"
    filter: str = "StatusEquals"


KINDS = (
    Kind("Training", "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", "TrainingJobStatus", "training-jobs", "graduation-cap"),
    Kind("Tuning", "ListHyperParameterTuningJobs", "HyperParameterTuningJobSummaries", "HyperParameterTuningJobName",
         "HyperParameterTuningJobStatus", "tuning-jobs", "sliders-horizontal"),
    Kind("Batch", "ListTransformJobs", "TransformJobSummaries", "TransformJobName", "TransformJobStatus", "transform-jobs", "layers"),
    Kind("Compilation", "ListCompilationJobs", "CompilationJobSummaries", "CompilationJobName", "CompilationJobStatus",
         "compilation-jobs", "cpu", "INPROGRESS"),
    Kind("Endpoint", "ListEndpoints", "Endpoints", "EndpointName", "EndpointStatus", "endpoints", "send", "InService"),
)  # fmt: skip


@shown("/")
def _home(visit: Visit) -> Response:
    now = datetime.fromtimestamp(visit.context.clock.now(), UTC)
    running = [row for kind in KINDS for row in _rows(visit, kind, kind.running)]
    failed = [
        row
        for kind in KINDS
        for row in _rows(visit, kind, "FAILED" if kind.running.isupper() else "Failed", CreationTimeAfter=now - DAY)
    ]
    endpoints = [row for row in running if row["kind"] == "Endpoint"]
    return visit.page(
        "home.html",
        jobs=[row for row in running if row["kind"] != "Endpoint"],
        endpoints=endpoints,
        failed=sorted(failed, key=lambda row: -row["created"])[:8],
        alarms=_alarms(visit),
        hourly=_hourly(visit, endpoints),
        spent=_spent(visit, now - DAY),
        source=prices.SOURCE,
        empty=not _anything(visit),
    )


def _rows(visit: Visit, kind: Kind, status: str, **more: Any) -> list[dict[str, Any]]:
    """Nothing where the key may not list the kind."""
    asked = {kind.filter: status, "MaxResults": MOST, **more}
    try:
        found = visit.call("sagemaker", kind.operation, **asked)[kind.members]
    except Fault:
        visit.made.pop()
        return []
    return [
        {
            "kind": kind.title,
            "icon": kind.icon,
            "name": one[kind.name],
            "status": one[kind.status],
            "created": _seconds(one["CreationTime"]),
            "href": url(kind.path, one[kind.name]),
        }
        for one in found
    ]


def _seconds(at: float | datetime) -> float:
    return at.timestamp() if isinstance(at, datetime) else at


def _alarms(visit: Visit) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = visit.call("cloudwatch", "DescribeAlarms", StateValue="ALARM")["MetricAlarms"]
    except Fault:
        visit.made.pop()
        return []
    return found


def _hourly(visit: Visit, endpoints: list[dict[str, Any]]) -> float:
    """Dollars an hour that the endpoints in service would cost at AWS."""
    total = 0.0
    for row in endpoints:
        try:
            found = visit.quietly("sagemaker", "DescribeEndpoint", EndpointName=row["name"])
            config = visit.quietly(
                "sagemaker", "DescribeEndpointConfig", EndpointConfigName=found["EndpointConfigName"]
            )
        except Fault:
            continue
        counts = {
            one["VariantName"]: one.get("CurrentInstanceCount") or 0 for one in found.get("ProductionVariants", [])
        }
        for variant in config["ProductionVariants"]:
            price = prices.hourly(variant.get("InstanceType", ""))
            total += (price or 0.0) * counts.get(variant["VariantName"], 0)
    return total


def _spent(visit: Visit, since: datetime) -> float:
    """Dollars that the training jobs since then would have cost at AWS, as far as the newest ones."""
    try:
        jobs = visit.quietly("sagemaker", "ListTrainingJobs", CreationTimeAfter=since, MaxResults=MOST)
        described = [
            visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=job["TrainingJobName"])
            for job in jobs["TrainingJobSummaries"]
        ]
    except Fault:
        return 0.0
    costs = (
        prices.cost(
            job["ResourceConfig"].get("InstanceType", ""),
            job.get("BillableTimeInSeconds") or 0,
            job["ResourceConfig"].get("InstanceCount", 1),
        )
        for job in described
    )
    return sum(cost or 0.0 for cost in costs)


def _anything(visit: Visit) -> bool:
    """Whether anybody has begun."""
    try:
        return bool(visit.quietly("sagemaker", "ListTrainingJobs", MaxResults=1)["TrainingJobSummaries"]) or bool(
            visit.quietly("sagemaker", "ListEndpoints", MaxResults=1)["Endpoints"]
        )
    except Fault:
        return True


SCREENS: tuple[Screen, ...] = (_home,)
