"""How a notebook instance moves. Pure: the table, and what a step changes in what was found."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.states import Step, Table
from tobo.store.base import Row

_STARTING = ("lay_out", "clone", "on_create", "on_start", "launch", "await_ready")

TABLE: Table = {
    ("Pending", "ready"): Step("InService", ("supervise",)),
    ("Pending", "failed"): Step("Failing", ("halt",)),
    ("InService", "stop"): Step("Stopping", ("halt",)),
    ("InService", "failed"): Step("Failing", ("halt",)),
    ("Stopping", "halted"): Step("Stopped"),
    ("Failing", "halted"): Step("Failed"),
    **{
        step: to
        for state in ("Stopped", "Failed")
        for step, to in {
            (state, "start"): Step("Pending", _STARTING),
            (state, "update"): Step("Updating", ("settle",)),
            (state, "delete"): Step("Deleting", ("remove",)),
        }.items()
    },
    ("Updating", "updated"): Step("Stopped"),
}

STATUS = {
    "Pending": "Pending",
    "InService": "InService",
    "Stopping": "Stopping",
    "Stopped": "Stopped",
    "Failing": "Stopping",
    "Failed": "Failed",
    "Updating": "Updating",
    "Deleting": "Deleting",
}

FIRST_STEP = Step("Pending", _STARTING)
"""Of a new instance."""

FRESH: Mapping[str, Any] = {"_start": 1, "_launch": 1, "_since": None, "_seconds": 0.0, "_told": ""}
"""What is found of a new instance: how often it was started and its JupyterLab launched since, in service since (epoch
seconds, None where it is not) and the seconds before that, and why it was stopped."""


def on_step(row: Row, step: Step, now: float, message: str) -> Mapping[str, Any]:
    """Time in service is counted; a new start has a number of its own, so that nothing of an older one is taken for it."""
    found: dict[str, Any] = {}
    if row.state == "InService" and row.found["_since"] is not None:
        found = {"_since": None, "_seconds": row.found["_seconds"] + max(0.0, now - row.found["_since"])}
    match step.state:
        case "Pending":
            found |= {
                "_start": row.found["_start"] + 1,
                "_launch": 1,
                "_launched": None,
                "FailureReason": None,
                "_told": "",
            }
        case "InService":
            found |= {"_since": now, "_active": now}
        case "Stopping":
            found |= {"_told": message}
        case "Failing":
            found |= {"FailureReason": message[:1024]}
        case "Updating":
            found |= {"FailureReason": None}
    return found
