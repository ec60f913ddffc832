"""Home: what runs, what it costs, what went wrong, and what to do first."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from starlette.responses import RedirectResponse, Response

from tobo.console import prices
from tobo.console.figures import epoch
from tobo.console.navigation import NAVIGATION, Listed, listed_at
from tobo.console.routing import Screen, shown
from tobo.console.serving import hourly, variants_of
from tobo.console.visit import Visit, url
from tobo.kit.fault import Fault

MOST = 100
"""Of a kind that are counted."""

DAY = timedelta(days=1)


class Kind(NamedTuple):
    """A kind of work on the front page: how the palette lists it, and what its statuses are called."""

    title: str
    listed: Listed
    status: str
    running: str = "InProgress"
    failed: str = "Failed"


KINDS = (
    Kind("Training", listed_at("training-jobs"), "TrainingJobStatus"),
    Kind("Tuning", listed_at("tuning-jobs"), "HyperParameterTuningJobStatus"),
    Kind("Batch", listed_at("transform-jobs"), "TransformJobStatus"),
    Kind("Compilation", listed_at("compilation-jobs"), "CompilationJobStatus", "INPROGRESS", "FAILED"),
)
ENDPOINTS = Kind("Endpoint", listed_at("endpoints"), "EndpointStatus", "InService")


@shown("/")
def _home(visit: Visit) -> Response:
    if visit.navigation is not NAVIGATION:
        return RedirectResponse(url("work"), 303)
    now = datetime.fromtimestamp(visit.context.clock.now(), UTC)
    jobs = [row for kind in KINDS for row in _rows(visit, kind, kind.running)]
    endpoints = _rows(visit, ENDPOINTS, ENDPOINTS.running)
    failed = [
        row for kind in (*KINDS, ENDPOINTS) for row in _rows(visit, kind, kind.failed, CreationTimeAfter=now - DAY)
    ]
    alarms = visit.attempt("cloudwatch", "DescribeAlarms", StateValue="ALARM")
    return visit.page(
        "home.html",
        jobs=jobs,
        endpoints=endpoints,
        failed=sorted(failed, key=lambda row: -row["created"])[:8],
        alarms=[] if alarms is None else alarms["MetricAlarms"],
        hourly=_hourly(visit, endpoints),
        spent=_spent(visit, now - DAY),
        source=prices.SOURCE,
        empty=not (jobs or endpoints or failed or _anything(visit)),
    )


def _rows(visit: Visit, kind: Kind, status: str, **more: Any) -> list[dict[str, Any]]:
    """Nothing where the key may not list the kind."""
    listed = kind.listed
    found = visit.attempt(listed.service, listed.operation, StatusEquals=status, MaxResults=MOST, **more)
    return [
        {
            "kind": kind.title,
            "icon": listed.icon,
            "name": one[listed.name],
            "status": one[kind.status],
            "created": epoch(one["CreationTime"]),
            "href": url(listed.path, one[listed.name]),
        }
        for one in (() if found is None else found[listed.members])
    ]


def _hourly(visit: Visit, endpoints: list[dict[str, Any]]) -> float:
    """Dollars an hour that the endpoints in service would cost at AWS, as far as their prices are known."""
    total = 0.0
    for row in endpoints:
        try:
            endpoint = visit.quietly("sagemaker", "DescribeEndpoint", EndpointName=row["name"])
        except Fault:
            continue
        total += hourly(variants_of(visit, endpoint)) or 0.0
    return total


def _spent(visit: Visit, since: datetime) -> float:
    """Dollars that the training jobs since then would have cost at AWS, as far as the newest ones."""
    young = {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
    try:
        found = visit.quietly(
            "sagemaker",
            "Search",
            Resource="TrainingJob",
            SearchExpression={"Filters": [young]},
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=MOST,
        )["Results"]
    except Fault:
        return 0.0
    return sum(prices.cost_of_training(one["TrainingJob"]) or 0.0 for one in found)


def _anything(visit: Visit) -> bool:
    """Whether anybody has begun."""
    try:
        return bool(visit.quietly("sagemaker", "ListTrainingJobs", MaxResults=1)["TrainingJobSummaries"])
    except Fault:
        return True


SCREENS: tuple[Screen, ...] = (_home,)
