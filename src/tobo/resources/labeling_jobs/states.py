"""How a labelling job moves. Pure; what people have said is written out however a job ends, unless it never began."""

from tobo.kit.states import Step, Table

_PLAN = ("start_plan", "watch", "take_plan")

TABLE: Table = {
    ("Initializing", "loaded"): Step("InProgress", ("follow",)),
    ("Initializing", "learning"): Step("Featuring", ("reserve", "lay_out", "start_features", "watch")),
    ("Initializing", "stop"): Step("Stopped", ("end",)),
    ("Initializing", "failed"): Step("Failed", ("end",)),
    ("Featuring", "vanished"): Step("Featuring", ("reserve", "start_features", "watch")),
    ("Featuring", "computed"): Step("Planning", ("take_features", *_PLAN)),
    ("Featuring", "died"): Step("Failed", ("end",)),
    ("Featuring", "failed"): Step("Failed", ("end",)),
    ("Featuring", "stop"): Step("Stopped", ("end",)),
    ("Planning", "vanished"): Step("Planning", _PLAN),
    ("Planning", "planned"): Step("InProgress", ("follow",)),
    ("Planning", "died"): Step("InProgress", ("follow",)),
    ("Planning", "failed"): Step("InProgress", ("follow",)),
    ("Planning", "stop"): Step("Stopping", ("write_output",)),
    ("InProgress", "answered"): Step("Planning", _PLAN),
    ("InProgress", "finished"): Step("Consolidating", ("write_output",)),
    ("InProgress", "stop"): Step("Stopping", ("write_output",)),
    ("InProgress", "failed"): Step("Failed", ("end",)),
    ("Consolidating", "written"): Step("Completed", ("end",)),
    ("Consolidating", "learned"): Step("Exporting", ("start_model", "watch", "take_model")),
    ("Consolidating", "stop"): Step("Stopping", ("write_output",)),
    ("Consolidating", "failed"): Step("Failed", ("end",)),
    ("Exporting", "vanished"): Step("Exporting", ("start_model", "watch", "take_model")),
    ("Exporting", "exported"): Step("Completed", ("end",)),
    ("Exporting", "died"): Step("Completed", ("end",)),
    ("Exporting", "failed"): Step("Completed", ("end",)),
    ("Exporting", "stop"): Step("Stopped", ("end",)),
    ("Stopping", "written"): Step("Stopped", ("end",)),
    ("Stopping", "failed"): Step("Failed", ("end",)),
}
"""A job whose learning comes to grief is people's alone from there on: nothing that was said is lost."""

STATUS = {
    "Initializing": "Initializing",
    "Featuring": "InProgress",
    "Planning": "InProgress",
    "InProgress": "InProgress",
    "Consolidating": "InProgress",
    "Exporting": "InProgress",
    "Stopping": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
}
"""The AWS LabelingJobStatus of each state."""

OFFERED = frozenset({"Planning", "InProgress"})
"""States in which people may find something to label."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def on_step(found: dict[str, object], state: str, message: str) -> dict[str, object]:
    """What a step adds: on failure the reason; where the job goes on without learning, why."""
    if not message:
        return {}
    if state == "Failed":
        return {} if found.get("FailureReason") else {"FailureReason": message[:1024]}
    return {"_trouble": message[:1024]}
