"""The operations on a rule's targets. Source: Amazon EventBridge API Reference, PutTargets and its siblings.

Targets are SNS topics and SageMaker pipelines; a webhook subscribes to a topic.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import page_of
from tobo.operations.registry import operation
from tobo.operations.rows import change_row, rows_of
from tobo.resources.event_rules.rule import KIND, check_bus, known_rule, rule_of
from tobo.store.base import Row

MOST_TARGETS = 5
"""Of a rule, as on AWS."""

PAGE = 100

_MEMBERS = ("Id", "Arn", "RoleArn", "Input", "SageMakerPipelineParameters")
_IGNORED = ("RetryPolicy", "DeadLetterConfig")


@operation("events", "PutTargets", resource=rule_of)
def put_targets(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Adds targets, or replaces those of the same Id; what cannot be one is told. Raises Fault ResourceNotFoundException, LimitExceededException."""
    failed, good = list[dict[str, Any]](), list[Mapping[str, Any]]()
    for target in asked["Targets"]:
        why = _why_not(call, target)
        if why:
            failed.append({"TargetId": target["Id"], "ErrorCode": "ValidationException", "ErrorMessage": why})
        else:
            good.append({member: target[member] for member in _MEMBERS if member in target})

    def add(row: Row) -> dict[str, Any]:
        together = {each["Id"]: each for each in [*row.asked["Targets"], *good]}
        if len(together) > MOST_TARGETS:
            raise Fault("LimitExceededException", f"A rule has {MOST_TARGETS} targets at most.")
        return {"asked": {**row.asked, "Targets": list(together.values())}}

    change_row(call, lambda: known_rule(call, asked["Rule"], asked), "targets", add)
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@operation("events", "RemoveTargets", resource=rule_of)
def remove_targets(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    row = known_rule(call, asked["Rule"], asked)
    there = {each["Id"] for each in row.asked["Targets"]}
    failed = [
        {
            "TargetId": name,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"The rule has no target '{name}'.",
        }
        for name in asked["Ids"]
        if name not in there
    ]

    def remove(row: Row) -> dict[str, Any]:
        left = [each for each in row.asked["Targets"] if each["Id"] not in asked["Ids"]]
        return {"asked": {**row.asked, "Targets": left}}

    change_row(call, lambda: known_rule(call, asked["Rule"], asked), "targets", remove)
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@operation("events", "ListTargetsByRule", resource=rule_of)
def list_targets_by_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    return _page("Targets", asked, known_rule(call, asked["Rule"], asked).asked["Targets"])


@operation("events", "ListRuleNamesByTarget", resource=rule_of)
def list_rule_names_by_target(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    check_bus(asked)
    names = [
        row.key.name
        for row in rows_of(call.context.store, call.space, KIND)
        if any(each["Arn"] == asked["TargetArn"] for each in row.asked["Targets"])
    ]
    return _page("RuleNames", asked, sorted(names))


def _page(member: str, asked: Mapping[str, Any], items: Sequence[Any]) -> dict[str, Any]:
    page, more = page_of(items, member, {**asked, "MaxResults": asked.get("Limit"), "Limit": None}, PAGE)
    return {member: list(page), **more}


def _why_not(call: Call, target: Mapping[str, Any]) -> str | None:
    """A sentence, None where the target is one."""
    unknown = [member for member in target if member not in (*_MEMBERS, *_IGNORED)]
    if unknown:
        return f"{unknown[0]} is not built in tobo; give the target an Input, or take the event as it is."
    parts = target["Arn"].split(":", 5)
    pipeline = parts[2:3] == ["sagemaker"] and parts[-1].startswith("pipeline/")
    if len(parts) != 6 or not (parts[2] == "sns" or pipeline):
        return (
            f"'{target['Arn'][:100]}' is neither a topic nor a pipeline; webhooks and mailboxes subscribe to a topic."
        )
    if (parts[3], parts[4]) != (call.space.region, call.space.account):
        return f"'{target['Arn'][:100]}' is of another account or region than the rule."
    return None
