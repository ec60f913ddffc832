"""How a processing job moves. Pure; what is uploaded after an end, a stop or a failure is told apart here."""

from tobo.kit.states import Step, Table

_END = ("clean", "record")

TABLE: Table = {
    ("Starting", "granted"): Step("Downloading", ("lay_out",)),
    ("Starting", "stop"): Step("Stopped", _END),
    ("Starting", "failed"): Step("Failed", _END),
    ("Downloading", "laid_out"): Step("Processing", ("start", "record", "watch")),
    ("Downloading", "stop"): Step("Stopped", _END),
    ("Downloading", "failed"): Step("Failed", _END),
    ("Processing", "succeeded"): Step("Uploading", ("collect",)),
    ("Processing", "died"): Step("FailedUploading", ("collect",)),
    ("Processing", "failed"): Step("Failed", _END),
    ("Processing", "stop"): Step("Stopping", ("terminate", "await_end")),
    ("Processing", "time_up"): Step("Overtime", ("terminate", "await_end")),
    ("Stopping", "ended"): Step("StoppedUploading", ("collect",)),
    ("Stopping", "failed"): Step("Failed", _END),
    ("Overtime", "ended"): Step("StoppedUploading", ("collect",)),
    ("Overtime", "stop"): Step("Stopping", ("await_end",)),
    ("Overtime", "failed"): Step("Failed", _END),
    ("Uploading", "collected"): Step("Completed", _END),
    ("Uploading", "stop"): Step("StoppedUploading", ("collect",)),
    ("Uploading", "failed"): Step("Failed", _END),
    ("FailedUploading", "collected"): Step("Failed", _END),
    ("FailedUploading", "stop"): Step("FailedUploading", ("collect",)),
    ("FailedUploading", "failed"): Step("Failed", _END),
    ("StoppedUploading", "collected"): Step("Stopped", _END),
    ("StoppedUploading", "failed"): Step("Failed", _END),
}

STATUS = {
    "Starting": "InProgress",
    "Downloading": "InProgress",
    "Processing": "InProgress",
    "Uploading": "InProgress",
    "FailedUploading": "InProgress",
    "Stopping": "Stopping",
    "Overtime": "Stopping",
    "StoppedUploading": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
}
"""The AWS ProcessingJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(found: dict[str, object], state: str, now: float, message: str) -> dict[str, object]:
    """What a step adds: the times of the job's work and, on failure or overtime, the reason (the first that said one)."""
    added: dict[str, object] = {}
    if state == "Processing":
        added["ProcessingStartTime"] = now
    if state in TERMINAL:
        added["ProcessingEndTime"] = now
    if state in ("FailedUploading", "Failed", "Overtime") and message and "FailureReason" not in found:
        added["FailureReason"] = message[:1024]
    return added
