"""How an endpoint moves. Pure: the table, and what a step changes in the endpoint's fleets."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.states import Step, Table
from tobo.resources.endpoints.fleets import restored
from tobo.store.base import Row

_RETIRING = ("release", "retire")

TABLE: Table = {
    ("Creating", "serving"): Step("InService", ("record", "supervise")),
    ("Creating", "failed"): Step("Failed", ("stop_replicas",)),
    ("InService", "update"): Step("Updating", ("stand_up", "shift")),
    ("InService", "resize"): Step("Resizing", ("resize",)),
    ("Updating", "serving"): Step("Retiring", _RETIRING),
    ("Updating", "failed"): Step("RollingBack", _RETIRING),
    ("Resizing", "serving"): Step("Retiring", _RETIRING),
    ("Resizing", "failed"): Step("RollingBack", _RETIRING),
    ("Retiring", "retired"): Step("InService", ("record", "supervise")),
    ("RollingBack", "retired"): Step("InService", ("record", "supervise")),
    **{
        (state, "delete"): Step("Deleting", ("remove",))
        for state in ("Creating", "InService", "Updating", "Resizing", "Retiring", "RollingBack", "Failed")
    },
}

STATUS = {
    "Creating": "Creating",
    "InService": "InService",
    "Updating": "Updating",
    "Resizing": "Updating",
    "Retiring": "Updating",
    "RollingBack": "RollingBack",
    "Failed": "Failed",
    "Deleting": "Deleting",
}


def on_step(row: Row, step: Step, now: float, message: str) -> Mapping[str, Any]:
    """A change that fails is undone: what was made for it goes, and the endpoint is InService with the FailureReason."""
    if step.state in ("Updating", "Resizing"):
        return {"FailureReason": None}
    reason = {"FailureReason": message[:1024]}
    if step.state == "Failed":
        return reason
    if step.state != "RollingBack":
        return {}
    if row.state == "Updating":
        return {**reason, "_next": None, "_old": row.found["_next"]}
    fleet, surplus = restored(row.found["_fleet"])
    return {**reason, "_fleet": fleet, "_old": surplus}
