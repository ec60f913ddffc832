"""How a tuning job moves. Pure; what it does with its trials is one command, repeated until there is an end."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Tuning", "finished"): Step("Completed"),
    ("Tuning", "reached"): Step("Finishing", ("stop_trials",)),
    ("Tuning", "time_up"): Step("Stopping", ("stop_trials",)),
    ("Tuning", "stop"): Step("Stopping", ("stop_trials",)),
    ("Tuning", "failed"): Step("Failing", ("stop_trials",)),
    ("Finishing", "stopped"): Step("Completed"),
    ("Finishing", "stop"): Step("Stopping", ("stop_trials",)),
    ("Finishing", "failed"): Step("Failed"),
    ("Stopping", "stopped"): Step("Stopped"),
    ("Stopping", "failed"): Step("Failed"),
    ("Failing", "stopped"): Step("Failed"),
    ("Failing", "stop"): Step("Failing", ("stop_trials",)),
    ("Failing", "failed"): Step("Failed"),
}

STATUS = {
    "Tuning": "InProgress",
    "Finishing": "InProgress",
    "Failing": "InProgress",
    "Stopping": "Stopping",
    "Completed": "Completed",
    "Stopped": "Stopped",
    "Failed": "Failed",
}
"""The AWS HyperParameterTuningJobStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(found: dict[str, object], state: str, now: float, message: str) -> dict[str, object]:
    """What a step adds: the end's time and, on failure, the first reason."""
    added: dict[str, object] = {}
    if state in ("Failing", "Failed") and message and "FailureReason" not in found:
        added["FailureReason"] = message[:1024]
    if state in TERMINAL:
        added["HyperParameterTuningEndTime"] = now
    return added
