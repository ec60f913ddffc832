"""How a stage moves, and how each of its devices does. Pure.

A device's table knows answers that come late: the truth is shown, and who deploys what its stage has given up under
ROLLBACK_ON_FAILURE goes back as the others did.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.states import Step, Table

STAGE: Table = {
    ("Starting", "selected"): Step("InProgress", ("nudge", "watch")),
    ("Starting", "stop"): Step("Stopping", ("withdraw", "halt")),
    ("Starting", "failed"): Step("Failed", ("withdraw",)),
    ("InProgress", "deployed"): Step("Deployed"),
    ("InProgress", "finished"): Step("Failed"),
    ("InProgress", "broken"): Step("RollingBack", ("undeploy", "nudge", "watch_back")),
    ("InProgress", "stop"): Step("Stopping", ("withdraw", "halt")),
    ("InProgress", "failed"): Step("Failed", ("withdraw",)),
    ("RollingBack", "rolled_back"): Step("Failed"),
    ("RollingBack", "stop"): Step("RollingBack", ("undeploy", "nudge", "watch_back")),
    ("RollingBack", "failed"): Step("Failed"),
    ("Stopping", "halted"): Step("Stopped"),
    ("Stopping", "stop"): Step("Stopping", ("withdraw", "halt")),
    ("Stopping", "failed"): Step("Failed"),
    ("Deployed", "start"): Step("Starting", ("select",)),
    ("Stopped", "start"): Step("Starting", ("select",)),
    ("Failed", "start"): Step("Starting", ("select",)),
}

STAGE_STATUS = {
    "Starting": "STARTING",
    "InProgress": "INPROGRESS",
    "RollingBack": "INPROGRESS",
    "Stopping": "STOPPING",
    "Deployed": "DEPLOYED",
    "Failed": "FAILED",
    "Stopped": "STOPPED",
}
"""The AWS StageStatus of each state; a stage that never started has no row and is READYTODEPLOY."""

IDLE = frozenset({"Deployed", "Failed", "Stopped"})

_RECORDED = ("record",)

DEVICE: Table = {
    ("Waiting", "succeeded"): Step("Deployed", _RECORDED),
    ("Waiting", "failed"): Step("Failed"),
    ("Waiting", "timed_out"): Step("TimedOut"),
    ("Waiting", "superseded"): Step("Superseded"),
    ("Waiting", "stop"): Step("Stopped"),
    ("Waiting", "undeploy"): Step("Withdrawn"),
    ("Deployed", "failed"): Step("Failed"),
    ("Deployed", "undeploy"): Step("RollingBack"),
    ("TimedOut", "succeeded"): Step("Deployed", _RECORDED),
    ("TimedOut", "failed"): Step("Failed"),
    ("TimedOut", "undeploy"): Step("Abandoned"),
    ("Abandoned", "succeeded"): Step("RollingBack"),
    ("Abandoned", "failed"): Step("Failed"),
    ("Abandoned", "superseded"): Step("Superseded"),
    ("Withdrawn", "succeeded"): Step("RollingBack"),
    ("Withdrawn", "failed"): Step("Failed"),
    ("Withdrawn", "superseded"): Step("Superseded"),
    ("Stopped", "succeeded"): Step("Deployed", _RECORDED),
    ("Stopped", "failed"): Step("Failed"),
    ("RollingBack", "undone"): Step("RolledBack"),
    ("RollingBack", "undo_failed"): Step("RollbackFailed"),
    ("RollingBack", "superseded"): Step("Superseded"),
}

DEVICE_STATUS = {
    "Waiting": "INPROGRESS",
    "Deployed": "DEPLOYED",
    "Failed": "FAILED",
    "TimedOut": "FAILED",
    "Abandoned": "FAILED",
    "Superseded": "FAILED",
    "RollbackFailed": "FAILED",
    "RollingBack": "STOPPING",
    "RolledBack": "STOPPED",
    "Withdrawn": "STOPPED",
    "Stopped": "STOPPED",
}
"""The AWS DeviceDeploymentStatus of each state; what the status cannot tell, the message begins with."""

_WORDS = ("TimedOut", "Superseded", "Withdrawn", "RollingBack", "RolledBack")
"""States that the status does not tell apart."""


def stage_step(state: str, now: float, message: str, found: Mapping[str, Any]) -> dict[str, object]:
    """What a step adds to a stage: a new round where it starts, and why it did not end well."""
    if state == "Starting":
        return {"_round": found.get("_round", 0) + 1, "_started": now, "_message": "", "_already": {}}
    return {"_message": message} if message else {}


def device_step(state: str, message: str) -> dict[str, object]:
    """What a step adds to a device's deployment: what there is to say. Who is given up has been said to be silent."""
    if state == "Abandoned":
        return {}
    if state == "RolledBack":
        message = message or "The device has its other version again."
    return {"_message": f"{f'{state}: ' if state in _WORDS and message else ''}{message}"[:1024]}
