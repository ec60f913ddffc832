"""The operations of tobo-reaper: rules, the plan, cases, and the way back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.resources.reaper.cases import CASE, RULE, account_space, case_of, rules_of
from tobo.resources.reaper.deciding import told
from tobo.resources.reaper.reaping import perform, plan, undo
from tobo.resources.reaper.rules import check_rule
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

SERVICE = "tobo-reaper"

PAGE = 100


def _anything(call: Call, asked: Mapping[str, Any]) -> str:
    return "*"


@operation(SERVICE, "PutRule", resource=_anything)
def put_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes or replaces a rule; it does nothing until it is Enabled. Raises Fault ValidationException."""
    rule, now = asked["Rule"], call.now
    check_rule(rule)
    key = Key(account_space(call.principal.account), RULE, rule["RuleName"])
    while True:
        row = call.context.store.get(key)
        try:
            if row is not None:
                call.context.store.update(row, Event(now, "changed", row.state), asked=rule, modified=now)
            else:
                new = Row(key, "", rule, {}, "", "Kept", now, now)
                call.context.store.insert(new, Event(now, "created", new.state))
        except (Conflict, AlreadyExists):
            continue
        return {}


@operation(SERVICE, "DescribeRule", resource=_anything)
def describe_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFound."""
    return {"Rule": _known(call, RULE, asked["RuleName"], "Rule").asked}


@operation(SERVICE, "ListRules", resource=_anything)
def list_rules(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their creation."""
    return list_rows(_of_account(call), RULE, asked, "Rules", lambda row: dict(row.asked), None, PAGE, False)


@operation(SERVICE, "DeleteRule", resource=_anything)
def delete_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With its cases; what it has stopped stays as it is. Raises Fault ResourceNotFound."""
    while True:
        try:
            call.context.store.delete(_known(call, RULE, asked["RuleName"], "Rule"))
            return {}
        except Conflict:
            continue


@operation(SERVICE, "PlanReaping", resource=_anything)
def plan_reaping(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The dry run: what is done now, and what when its time has come; of all rules, or of those named, enabled or not.

    Raises Fault ResourceNotFound.
    """
    account, names = call.principal.account, asked.get("RuleNames")
    rules = rules_of(call.context, account)
    if names:
        for name in names:
            _known(call, RULE, name, "Rule")
        rules = [rule for rule in rules if rule["RuleName"] in names]
    reapings = [
        {
            "RuleName": each.rule["RuleName"],
            "ResourceArn": each.fact.arn,
            "Action": each.rule["Action"],
            "Step": each.decision.what,
            "Reason": each.decision.why,
            "At": each.decision.at,
            "Calls": _calls(told(each.decision.deeds)),
        }
        for each in plan(call.context, account, rules)
        if each.decision.what != "Drop"
    ]
    return {"Reapings": reapings}


@operation(SERVICE, "ListCases", resource=_anything)
def list_cases(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order in which they were noticed."""

    def summary(row: Row) -> dict[str, Any]:
        members = ("Status", "Reason", "NoticedAt", "ActedAt", "Failure")
        found = {name: row.found[name] for name in members if row.found.get(name) is not None}
        named = {name: row.asked[name] for name in ("RuleName", "ResourceArn", "Action")}
        return {"CaseId": row.key.name, **named, **found}

    return list_rows(_of_account(call), CASE, asked, "Cases", summary, None, PAGE, False)


@operation(SERVICE, "UndoReaping", resource=_anything)
def undo_reaping(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Starts again what was paused or stopped, and keeps the rule from it for a day.

    Raises Fault ResourceNotFound, ValidationException where there is nothing to undo, and the Faults of its calls.
    """
    while True:
        row = _known(call, CASE, asked["CaseId"], "Case")
        if case_of(row).status not in ("Done", "Doomed") or not row.found["_undo"]:
            raise validation(
                f"Case '{asked['CaseId'][:200]}' is {row.found['Status']}, and nothing brings it back; only paused "
                f"endpoints and stopped notebooks are brought back."
            )
        try:
            return {"Calls": _calls(told(undo(call.context, row, perform)))}
        except Conflict:
            continue


def _known(call: Call, kind: str, name: str, what: str) -> Row:
    row = call.context.store.get(Key(account_space(call.principal.account), kind, name))
    if row is None:
        raise Fault("ResourceNotFound", f"{what} '{name[:300]}' does not exist here.")
    return row


def _calls(deeds: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"Operation": deed["Operation"], "Request": orjson.dumps(deed["Request"]).decode()} for deed in deeds]


def _of_account(call: Call) -> Call:
    return replace(call, space=account_space(call.principal.account))
