"""How a human loop moves. Pure; what people have said is written out however a loop ends."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("InProgress", "answered"): Step("Answered", ("write_output",)),
    ("InProgress", "expired"): Step("Expired", ("write_output",)),
    ("InProgress", "stop"): Step("Stopping", ("drain", "write_output")),
    ("InProgress", "failed"): Step("Failed", ("end",)),
    ("Answered", "written"): Step("Completed"),
    ("Answered", "failed"): Step("Failed", ("end",)),
    ("Expired", "written"): Step("Failed"),
    ("Expired", "failed"): Step("Failed", ("end",)),
    ("Stopping", "written"): Step("Stopped"),
    ("Stopping", "failed"): Step("Failed", ("end",)),
}

STATUS = {
    "InProgress": "InProgress",
    "Answered": "InProgress",
    "Expired": "InProgress",
    "Stopping": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
}
"""The AWS HumanLoopStatus of each state."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})

EXPIRED = "Not all answers came before TaskAvailabilityLifetimeInSeconds had passed."


def on_step(before: str, state: str, message: str) -> dict[str, str]:
    """What a step adds: on failure the code (API reference, DescribeHumanLoop) and the reason."""
    if state != "Failed":
        return {}
    if before == "Expired" and not message:
        return {"FailureCode": "Expired", "FailureReason": EXPIRED}
    code = "InternalError" if message.startswith("InternalServerError") else "ValidationError"
    return {"FailureCode": code, "FailureReason": message[:1024]}
