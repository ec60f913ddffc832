"""How a labelling job moves. Pure; what people have said is written out however a job ends, unless it never began."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Initializing", "loaded"): Step("InProgress", ("follow",)),
    ("Initializing", "stop"): Step("Stopped", ("end",)),
    ("Initializing", "failed"): Step("Failed", ("end",)),
    ("InProgress", "finished"): Step("Consolidating", ("write_output",)),
    ("InProgress", "stop"): Step("Stopping", ("write_output",)),
    ("InProgress", "failed"): Step("Failed", ("end",)),
    ("Consolidating", "written"): Step("Completed", ("end",)),
    ("Consolidating", "stop"): Step("Stopping", ("write_output",)),
    ("Consolidating", "failed"): Step("Failed", ("end",)),
    ("Stopping", "written"): Step("Stopped", ("end",)),
    ("Stopping", "failed"): Step("Failed", ("end",)),
}

STATUS = {
    "Initializing": "Initializing",
    "InProgress": "InProgress",
    "Consolidating": "InProgress",
    "Stopping": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
}
"""The AWS LabelingJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(found: dict[str, object], state: str, message: str) -> dict[str, object]:
    """What a step adds: on failure the reason."""
    return {"FailureReason": message[:1024]} if state == "Failed" and message and not found.get("FailureReason") else {}
