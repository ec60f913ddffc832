"""Home: what runs, what it costs, what went wrong, and what to do first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from starlette.responses import RedirectResponse, Response

from tobo.console import prices
from tobo.console.figures import epoch
from tobo.console.navigation import NAVIGATION, Listed, listed_at
from tobo.console.routing import Screen, shown
from tobo.console.spending import Spent, an_hour, since, total
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
    alarms = visit.attempt(
        "cloudwatch", "DescribeAlarms", StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return visit.page(
        "home.html",
        jobs=jobs,
        endpoints=endpoints,
        failed=sorted(failed, key=lambda row: -row["created"])[:8],
        alarms=[] if alarms is None else alarms["MetricAlarms"] + alarms["CompositeAlarms"],
        hourly=_costs(lambda: total(an_hour(visit))),
        spent=_costs(lambda: since(visit, now - DAY)),
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


def _costs(ask: Callable[[], Spent]) -> float | None:
    """US dollars at AWS; None where the key may not see costs."""
    try:
        return ask().listed
    except Fault:
        return None


def _anything(visit: Visit) -> bool:
    """Whether anybody has begun."""
    try:
        return bool(visit.quietly("sagemaker", "ListTrainingJobs", MaxResults=1)["TrainingJobSummaries"])
    except Fault:
        return True


SCREENS: tuple[Screen, ...] = (_home,)
