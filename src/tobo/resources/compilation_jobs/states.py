"""How a compilation job moves. Pure; nothing is uploaded of one that was stopped or that failed."""

from tobo.kit.states import Step, Table

_END = ("clean", "record")

TABLE: Table = {
    ("Starting", "granted"): Step("Downloading", ("lay_out",)),
    ("Starting", "stop"): Step("Stopped", _END),
    ("Starting", "failed"): Step("Failed", _END),
    ("Downloading", "laid_out"): Step("Compiling", ("start", "record", "watch")),
    ("Downloading", "stop"): Step("Stopped", _END),
    ("Downloading", "failed"): Step("Failed", _END),
    ("Compiling", "succeeded"): Step("Uploading", ("collect",)),
    ("Compiling", "died"): Step("Failed", _END),
    ("Compiling", "failed"): Step("Failed", _END),
    ("Compiling", "stop"): Step("Stopping", ("terminate", "await_end")),
    ("Compiling", "time_up"): Step("Overtime", ("terminate", "await_end")),
    ("Stopping", "ended"): Step("Stopped", _END),
    ("Stopping", "failed"): Step("Failed", _END),
    ("Overtime", "ended"): Step("Failed", _END),
    ("Overtime", "stop"): Step("Stopping", ("await_end",)),
    ("Overtime", "failed"): Step("Failed", _END),
    ("Uploading", "collected"): Step("Completed", _END),
    ("Uploading", "stop"): Step("Stopped", _END),
    ("Uploading", "failed"): Step("Failed", _END),
}

STATUS = {
    "Starting": "STARTING",
    "Downloading": "INPROGRESS",
    "Compiling": "INPROGRESS",
    "Uploading": "INPROGRESS",
    "Overtime": "INPROGRESS",
    "Stopping": "STOPPING",
    "Completed": "COMPLETED",
    "Failed": "FAILED",
    "Stopped": "STOPPED",
}
"""The AWS CompilationJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(found: dict[str, object], state: str, now: float, message: str) -> dict[str, object]:
    """What a step adds: the times of the job's work and, on failure or overtime, the reason (the first that said one)."""
    added: dict[str, object] = {}
    if state == "Compiling":
        added["CompilationStartTime"] = now
    if state in TERMINAL:
        added["CompilationEndTime"] = now
    if state in ("Failed", "Overtime") and message and not found.get("FailureReason"):
        added["FailureReason"] = message[:1024]
    return added
