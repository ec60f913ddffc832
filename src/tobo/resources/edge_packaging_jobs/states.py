"""How an edge packaging job moves. Pure."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Starting", "begun"): Step("Packaging", ("number", "package")),
    ("Starting", "stop"): Step("Stopping", ("halt",)),
    ("Starting", "failed"): Step("Failed", ("clean",)),
    ("Packaging", "packaged"): Step("Completed", ("clean", "record")),
    ("Packaging", "stop"): Step("Stopping", ("halt",)),
    ("Packaging", "failed"): Step("Failed", ("clean",)),
    ("Stopping", "halted"): Step("Stopped", ("clean",)),
    ("Stopping", "stop"): Step("Stopping", ("halt",)),
    ("Stopping", "failed"): Step("Failed", ("clean",)),
}

STATUS = {
    "Starting": "STARTING",
    "Packaging": "INPROGRESS",
    "Stopping": "STOPPING",
    "Completed": "COMPLETED",
    "Failed": "FAILED",
    "Stopped": "STOPPED",
}
"""The AWS EdgePackagingJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(state: str, message: str) -> dict[str, object]:
    """What a step adds: a failure's reason."""
    return {"EdgePackagingJobStatusMessage": message[:1024]} if state == "Failed" else {}
