"""How a pipeline's execution moves. Pure; what it does with its steps is one command, repeated until there is an end."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Executing", "succeeded"): Step("Succeeded"),
    ("Executing", "failed"): Step("Failed"),
    ("Executing", "stop"): Step("Stopping", ("stop_steps",)),
    ("Stopping", "stopped"): Step("Stopped"),
    ("Stopping", "failed"): Step("Failed"),
    ("Failed", "retry"): Step("Executing", ("run_steps",)),
    ("Stopped", "retry"): Step("Executing", ("run_steps",)),
}

STATUS = {state: state for state in ("Executing", "Stopping", "Succeeded", "Failed", "Stopped")}
"""The AWS PipelineExecutionStatus of each state."""

TERMINAL = frozenset({"Succeeded", "Failed", "Stopped"})


def on_step(state: str, message: str) -> dict[str, object]:
    """What a step adds: why it failed; a retry takes that back."""
    if state == "Failed":
        return {"FailureReason": message[:1300]}
    return {"FailureReason": ""} if state == "Executing" else {}
