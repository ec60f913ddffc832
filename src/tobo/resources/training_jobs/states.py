"""How a training job moves. Pure: the secondary status and commands that follow from what happened."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Starting", "granted"): Step("Downloading", ("lay_out",)),
    ("Starting", "stop"): Step("Stopped", ("clean", "record")),
    ("Starting", "failed"): Step("Failed", ("clean", "record")),
    ("Downloading", "laid_out"): Step("Training", ("start", "record", "watch")),
    ("Downloading", "stop"): Step("Stopped", ("clean", "record")),
    ("Downloading", "failed"): Step("Failed", ("clean", "record")),
    ("Training", "succeeded"): Step("Uploading", ("collect",)),
    ("Training", "died"): Step("FailedUploading", ("collect",)),
    ("Training", "failed"): Step("Failed", ("clean", "record")),
    ("Training", "stop"): Step("Stopping", ("terminate", "await_end")),
    ("Training", "time_up"): Step("Overtime", ("terminate", "await_end")),
    ("Stopping", "ended"): Step("StoppedUploading", ("collect",)),
    ("Stopping", "failed"): Step("Failed", ("clean", "record")),
    ("Overtime", "ended"): Step("OvertimeUploading", ("collect",)),
    ("Overtime", "failed"): Step("Failed", ("clean", "record")),
    ("Overtime", "stop"): Step("Stopping", ("await_end",)),
    ("Uploading", "collected"): Step("Completed", ("clean", "record")),
    ("Uploading", "stop"): Step("StoppedUploading", ("collect",)),
    ("Uploading", "failed"): Step("Failed", ("clean", "record")),
    ("FailedUploading", "collected"): Step("Failed", ("clean", "record")),
    ("FailedUploading", "stop"): Step("FailedUploading", ("collect",)),
    ("FailedUploading", "failed"): Step("Failed", ("clean", "record")),
    ("StoppedUploading", "collected"): Step("Stopped", ("clean", "record")),
    ("StoppedUploading", "failed"): Step("Failed", ("clean", "record")),
    ("OvertimeUploading", "collected"): Step("MaxRuntimeExceeded", ("clean", "record")),
    ("OvertimeUploading", "stop"): Step("StoppedUploading", ("collect",)),
    ("OvertimeUploading", "failed"): Step("Failed", ("clean", "record")),
}

SECONDARY = {
    "Starting": "Starting",
    "Downloading": "Downloading",
    "Training": "Training",
    "Uploading": "Uploading",
    "FailedUploading": "Uploading",
    "Stopping": "Stopping",
    "Overtime": "Stopping",
    "StoppedUploading": "Uploading",
    "OvertimeUploading": "Uploading",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "MaxRuntimeExceeded",
}
"""The AWS SecondaryStatus of each state; what is uploaded after a stop, a failure or a time-out is told apart only here."""

STATUS = {
    "Starting": "InProgress",
    "Downloading": "InProgress",
    "Training": "InProgress",
    "Uploading": "InProgress",
    "FailedUploading": "InProgress",
    "Stopping": "Stopping",
    "Overtime": "Stopping",
    "StoppedUploading": "Stopping",
    "OvertimeUploading": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
}
"""The AWS TrainingJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped", "MaxRuntimeExceeded"})

MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "FailedUploading": "Uploading what the failed job left",
    "Stopping": "Stopping the training job",
    "Overtime": "Stopping the training job: MaxRuntimeInSeconds is exceeded",
    "StoppedUploading": "Uploading generated training model",
    "OvertimeUploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
"""What SecondaryStatusTransitions say unless there is something better."""


def begin(now: float) -> dict[str, object]:
    """What a new job has found: its first transition."""
    first = {"Status": "Starting", "StartTime": now, "StatusMessage": MESSAGES["Starting"]}
    return {"SecondaryStatus": "Starting", "SecondaryStatusTransitions": [first]}


def on_step(found: dict[str, object], state: str, now: float, message: str) -> dict[str, object]:
    """What a step adds: the transition, the times of training and, on failure, the reason (kept from the first that said one)."""
    secondary = SECONDARY[state]
    transitions = [dict(t) for t in found.get("SecondaryStatusTransitions", [])]  # type: ignore[attr-defined]
    last = transitions[-1]
    if last["Status"] != secondary:
        last["EndTime"] = now
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message or MESSAGES[state]})
    elif message:
        last["StatusMessage"] = message
    added: dict[str, object] = {"SecondaryStatus": secondary, "SecondaryStatusTransitions": transitions}
    if state == "Downloading":
        added["TrainingStartTime"] = now
    if state in ("FailedUploading", "Failed") and "FailureReason" not in found:
        added["FailureReason"] = message[:1024]
    if state in TERMINAL:
        transitions[-1]["EndTime"] = now
        start = found.get("TrainingStartTime")
        if isinstance(start, float):
            # At least a second: AWS bills whole seconds, and a clock that was set back must not give less than nothing.
            seconds = max(round(now - start), 1)
            added |= {"TrainingEndTime": now, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    return added
