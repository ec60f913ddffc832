"""Event rules: which events are passed on, and to whom."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tobo.console.choices import topics_of
from tobo.console.lists import PAGE, addresses
from tobo.console.places import arn_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault

EXAMPLES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "failed": (
        "Training jobs that fail",
        {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Training Job State Change"],
            "detail": {"TrainingJobStatus": ["Failed"]},
        },
    ),
    "endpoints": (
        "Endpoints that change",
        {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]},
    ),
    "labelled": (
        "Labelling jobs that are done",
        {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Ground Truth Labeling Job State Change"],
            "detail": {"LabelingJobStatus": ["Completed"]},
        },
    ),
}
"""Patterns to begin with: words, and what fills the form."""


@shown("/event-rules")
def _list(visit: Visit) -> Response:
    asked: dict[str, Any] = {"Limit": PAGE}
    for name, member in (("name", "NamePrefix"), ("token", "NextToken")):
        if value := visit.query.get(name):
            asked[member] = value
    found = visit.call("events", "ListRules", **asked)
    return visit.page(
        "event_rules/list.html",
        rules=found["Rules"],
        about=pattern_words,
        next_token=found.get("NextToken"),
        asked=asked,
        at=addresses(visit, "event-rules"),
    )


@shown("/event-rules/create")
def _form(visit: Visit) -> Response:
    """?like= is one of the examples, which fills the form."""
    like = visit.query.get("like", "failed")
    pattern = EXAMPLES.get(like, EXAMPLES["failed"])[1]
    return visit.page("event_rules/create.html", pattern=json.dumps(pattern, indent=2), examples=EXAMPLES, like=like)


@posted("/event-rules/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    if name and _is_there(visit, name):  # PutRule would replace it
        raise Fault(
            "ValidationException", f"Name: there is a rule '{name}' already; change it on its page, or take another."
        )
    _put(visit, name, fields)
    return visit.done(url("event-rules", name), f"Rule {name} was created; add whom it tells.")


@shown("/event-rules/{name}")
def _page(visit: Visit) -> Response:
    name = visit.path["name"]
    rule = visit.call("events", "DescribeRule", Name=name)
    targets = visit.call("events", "ListTargetsByRule", Rule=name)["Targets"]
    return visit.page(
        "event_rules/page.html",
        rule=rule,
        name=name,
        pattern=_pretty(rule["EventPattern"]),
        targets=[(each, *arn_place(each["Arn"], visit.region)) for each in targets],
        places=[*topics_of(visit), *_pipelines(visit)],
    )


@posted("/event-rules/{name}/change")
def _change(visit: Visit) -> Response:
    """PutRule replaces all but the targets, so what the form has no field for is sent along."""
    name = visit.path["name"]
    known = visit.quietly("events", "DescribeRule", Name=name)
    kept = {member: known[member] for member in ("State", "RoleArn") if member in known}
    _put(visit, name, fields_of(visit.form), **kept)
    return visit.done(url("event-rules", name), f"Rule {name} was changed.")


@posted("/event-rules/{name}/switch")
def _switch(visit: Visit) -> Response:
    name, on = visit.path["name"], fields_of(visit.form).get("to") == "on"
    visit.change("events", "EnableRule" if on else "DisableRule", Name=name)
    said = "is on" if on else "is off, and passes nothing on"
    return visit.done(url("event-rules", name), f"Rule {name} {said}.")


@posted("/event-rules/{name}/targets")
def _add(visit: Visit) -> Response:
    """PutTargets tells what it does not take in its answer."""
    name, arn = visit.path["name"], fields_of(visit.form).get("target", "")
    made = visit.change("events", "PutTargets", Rule=name, Targets=[{"Id": _target_id(arn), "Arn": arn}])
    _check_entries(made)
    return visit.done(url("event-rules", name), f"{arn} is told of such events from now on.")


@posted("/event-rules/{name}/targets/remove")
def _remove(visit: Visit) -> Response:
    name, target = visit.path["name"], fields_of(visit.form).get("target", "")
    _check_entries(visit.change("events", "RemoveTargets", Rule=name, Ids=[target]))
    return visit.done(url("event-rules", name), f"Target {target} was removed.")


@posted("/event-rules/{name}/delete")
def _delete(visit: Visit) -> Response:
    """Two requests where it has targets: a rule is deleted without them alone."""
    name = visit.path["name"]
    targets = visit.quietly("events", "ListTargetsByRule", Rule=name)["Targets"]
    if targets:
        visit.change("events", "RemoveTargets", Rule=name, Ids=[each["Id"] for each in targets])
    visit.change("events", "DeleteRule", Name=name)
    return visit.done(url("event-rules"), f"Rule {name} was deleted.")


def pattern_words(text: str) -> str:
    """What a pattern is about, in a line: the kinds of events, else what it says."""
    pattern = json.loads(text)
    kinds = [kind for kind in pattern.get("detail-type", []) if isinstance(kind, str)]
    rest = pattern.get("detail") if kinds else pattern
    words = ", ".join(kind.removeprefix("SageMaker ").removesuffix(" State Change") for kind in kinds)
    return " · ".join(part for part in (words, _short(rest) if rest else "") if part)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _put(visit: Visit, name: str, fields: Mapping[str, str], **kept: Any) -> None:
    description = {"Description": fields["description"]} if "description" in fields else {}
    visit.change("events", "PutRule", Name=name, EventPattern=fields.get("pattern", ""), **description, **kept)


def _is_there(visit: Visit, name: str) -> bool:
    return any(rule["Name"] == name for rule in visit.quietly("events", "ListRules", NamePrefix=name)["Rules"])


def _check_entries(answer: Mapping[str, Any]) -> None:
    """Raises Fault for the first target that was not taken."""
    entries: Sequence[Mapping[str, str]] = answer.get("FailedEntries", [])
    for entry in entries:
        raise Fault(entry["ErrorCode"], entry["ErrorMessage"])


def _target_id(arn: str) -> str:
    """Its name, in letters that an Id may have."""
    return (
        "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in parse_arn(arn).resource)[-64:]
        or "target"
    )


def _pipelines(visit: Visit) -> list[str]:
    """ARNs of the first hundred; none where the key may not list them."""
    try:
        found = visit.quietly("sagemaker", "ListPipelines", MaxResults=100)
    except Fault:
        return []
    return [one["PipelineArn"] for one in found["PipelineSummaries"]]


def _pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2)


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _page, _change, _switch, _add, _remove, _delete)
