"""How a transform job moves. Pure."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Starting", "granted"): Step("Deploying", ("deploy", "record", "await_ready")),
    ("Starting", "stop"): Step("Stopped", ("clean", "record")),
    ("Starting", "failed"): Step("Failed", ("clean", "record")),
    ("Deploying", "ready"): Step("Transforming", ("transform",)),
    ("Deploying", "stop"): Step("Stopping", ("halt",)),
    ("Deploying", "failed"): Step("Failed", ("clean", "record")),
    ("Transforming", "finished"): Step("Completed", ("clean", "record")),
    ("Transforming", "stop"): Step("Stopping", ("halt",)),
    ("Transforming", "failed"): Step("Failed", ("clean", "record")),
    ("Stopping", "halted"): Step("Stopped", ("clean", "record")),
    ("Stopping", "failed"): Step("Failed", ("clean", "record")),
}

STATUS = {
    "Starting": "InProgress",
    "Deploying": "InProgress",
    "Transforming": "InProgress",
    "Stopping": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
}
"""The AWS TransformJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(state: str, now: float, message: str) -> dict[str, object]:
    """What a step adds: the times of the job's work and, on failure, the reason."""
    added: dict[str, object] = {}
    if state == "Deploying":
        added["TransformStartTime"] = now
    if state in TERMINAL:
        added["TransformEndTime"] = now
    if state == "Failed":
        added["FailureReason"] = message[:1024]
    return added
