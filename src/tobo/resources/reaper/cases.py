"""Cases as rows: one for each rule and resource that it is about."""

from collections.abc import Iterator, Mapping
from typing import Any

from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.operations.rows import rows_of
from tobo.resources.reaper.deciding import Case, read, told
from tobo.resources.reaper.rules import Fact, Rule
from tobo.store.base import Event, Key, Row

RULE, CASE = "reaper-rule", "reaper-case"


def account_space(account: str) -> Namespace:
    """Rules and cases are of an account, in no region."""
    return Namespace(account, "")


def rules_of(context: Context, account: str) -> list[Rule]:
    return [row.asked for row in rows_of(context.store, account_space(account), RULE)]


def case_name(rule: Rule, arn: str) -> str:
    return f"{rule['RuleName']}/{arn}"


def cases_of(context: Context, account: str) -> Iterator[Row]:
    return rows_of(context.store, account_space(account), CASE)


def case_of(row: Row) -> Case:
    found = row.found
    return Case(found["Status"], found["NoticedAt"], found.get("ActedAt"), read(found.get("_undo", [])))


def kept(case: Case, why: str, failure: str | None = None) -> dict[str, Any]:
    """A case as the row's `found`."""
    return {
        "Status": case.status,
        "NoticedAt": case.noticed,
        "ActedAt": case.acted,
        "Reason": why,
        "Failure": failure,
        "_undo": told(case.undo),
    }


def open_case(context: Context, rule: Rule, fact: Fact, found: Mapping[str, Any]) -> Row:
    """Inserts it; raises AlreadyExists."""
    now, name = context.clock.now(), case_name(rule, fact.arn)
    row = Row(
        key=Key(account_space(fact.space.account), CASE, name),
        arn="",
        asked={
            "RuleName": rule["RuleName"],
            "ResourceArn": fact.arn,
            "Action": rule["Action"],
            "Region": fact.space.region,
        },
        found=found,
        status=str(found["Status"]),
        state="Kept",
        created=now,
        modified=now,
    )
    return context.store.insert(row, Event(now, "noticed", row.state))
