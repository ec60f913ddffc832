"""Rules of the reaper as a form has them, and in words."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from tobo.console.visit import all_of, fields_of, whole
from tobo.kit.fault import Fault

KINDS = {
    "endpoint": "Endpoints",
    "notebook-instance": "Notebooks",
    "training-job": "Training jobs",
    "processing-job": "Processing jobs",
    "transform-job": "Batch transforms",
    "hyper-parameter-tuning-job": "Tuning jobs",
}

ACTIONS = {
    "NOTIFY": "Tell, and do nothing",
    "STOP": "Stop",
    "PAUSE": "Pause",
    "DELETE": "Stop, and delete a day later",
}

GRACE_MINUTES = 60
"""Where a rule says nothing."""

EXAMPLES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "untagged": (
        "Endpoints without an owner",
        {
            "RuleName": "untagged-endpoints",
            "Kinds": ["endpoint"],
            "Conditions": {"UntaggedKeys": ["project", "owner"]},
            "Action": "PAUSE",
            "GraceMinutes": 120,
        },
    ),
    "nights": (
        "What idles at night",
        {
            "RuleName": "nights",
            "Kinds": ["endpoint", "notebook-instance"],
            "Conditions": {"IdleMinutes": 30, "Schedule": {"From": "20:00", "To": "06:00"}},
            "Action": "STOP",
        },
    ),
    "runaway": (
        "Jobs that run for days",
        {
            "RuleName": "runaway-jobs",
            "Kinds": ["training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job"],
            "Conditions": {"OlderThanMinutes": 1440},
            "Action": "NOTIFY",
        },
    ),
}
"""Rules to begin with: words, and what fills the form."""


def read_rule(form: FormData, name: str = "") -> dict[str, Any]:
    """PutRule's Rule, which is off; `name` is that of one that is changed. Raises Fault ValidationException."""
    fields = fields_of(form)
    if not (name := name or fields.get("name", "")):
        raise Fault("ValidationException", "Name: the rule has none yet; give one, such as idle-endpoints.")
    if not (kinds := all_of(form, "kinds")):
        raise Fault("ValidationException", "The rule looks at nothing yet; tick what it is about, one at least.")
    rule = {
        "RuleName": name,
        "Kinds": list(kinds),
        "Conditions": _conditions(fields),
        "Action": fields.get("action", ""),
        "GraceMinutes": whole({"grace": str(GRACE_MINUTES), **fields}, "grace", "Grace in minutes"),
    }
    return {**rule, "TopicArn": fields["topic"]} if "topic" in fields else rule


def _conditions(fields: Mapping[str, str]) -> dict[str, Any]:
    """Those whose fields are filled in. Raises Fault ValidationException."""
    found: dict[str, Any] = {}
    if keys := fields.get("untagged", "").replace(",", " ").split():
        found["UntaggedKeys"] = keys
    for field, member, words in (
        ("idle", "IdleMinutes", "Idle minutes"),
        ("old", "OlderThanMinutes", "Age in minutes"),
    ):
        if field in fields:
            found[member] = whole(fields, field, words)
    if "budget" in fields:
        found["BudgetName"] = fields["budget"]
    if "from" in fields or "to" in fields:
        if missing := [words for field, words in (("from", "From"), ("to", "To")) if field not in fields]:
            raise Fault("ValidationException", f"{missing[0]}: a schedule has two times; fill in both, or none.")
        zone = {"TimeZone": fields["zone"]} if "zone" in fields else {}
        found["Schedule"] = {"From": fields["from"], "To": fields["to"], **zone}
    return found


def condition_words(rule: Mapping[str, Any]) -> str:
    """When a rule is about a resource, in a line."""
    conditions = rule["Conditions"]
    found = []
    if keys := conditions.get("UntaggedKeys"):
        found.append(f"lacks a tag of {', '.join(keys)}")
    if "IdleMinutes" in conditions:
        found.append(f"unused for {span(conditions['IdleMinutes'])}")
    if "OlderThanMinutes" in conditions:
        found.append(f"older than {span(conditions['OlderThanMinutes'])}")
    if "BudgetName" in conditions:
        found.append(f"budget {conditions['BudgetName']} is spent")
    if schedule := conditions.get("Schedule"):
        found.append(f"{schedule['From']} to {schedule['To']} {schedule.get('TimeZone', 'UTC')}")
    return ", ".join(found)


def span(minutes: int) -> str:
    """90 minutes, 2 hours, 1 day."""
    units = ((1440, "day"), (60, "hour"))
    length, unit = next(((length, unit) for length, unit in units if minutes and minutes % length == 0), (1, "minute"))
    count = minutes // length
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
