"""The reaper: its rules, what they would do now, what was noticed and done, and the way back."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from tobo.console.choices import budgets_of, topics_of
from tobo.console.lists import PAGE, addresses, pages_of
from tobo.console.places import arn_place
from tobo.console.reaper_rules import ACTIONS, EXAMPLES, KINDS, condition_words, read_rule, span
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault
from tobo.operations.reaper_words import calls, sentence

SERVICE = "tobo-reaper"

MOST_CASES = 100
"""Of a page, the newest ones."""

STATUSES = {
    "Noticed": ("warn", "In grace"),
    "Done": ("good", "Done"),
    "Doomed": ("bad", "Stopped, deleted after a day"),
    "Undone": ("quiet", "Brought back"),
}
"""A case's status -> how a badge shows it."""

COME_BACK = ("endpoint", "notebook-instance")
"""Kinds that UndoReaping brings back; a job that was stopped does not come back."""


@shown("/reaper")
def _list(visit: Visit) -> Response:
    token = visit.query.get("token")
    found = visit.call(SERVICE, "ListRules", MaxResults=PAGE, **({"NextToken": token} if token else {}))
    return visit.page(
        "reaper/list.html",
        rules=found["Rules"],
        next_token=found.get("NextToken"),
        at=addresses(visit, "reaper"),
        off=not (token or found.get("NextToken") or any(rule.get("Enabled") for rule in found["Rules"])),
        examples=EXAMPLES,
        **_words(),
        **_happening(visit),
    )


@shown("/reaper/create")
def _form(visit: Visit) -> Response:
    """?like= is one of the examples, which fills the form."""
    like = visit.query.get("like", "")
    return visit.page("reaper/create.html", rule=EXAMPLES.get(like, ("", {}))[1], **_choices(visit))


@posted("/reaper/create")
def _create(visit: Visit) -> Response:
    rule = read_rule(visit.form)
    name = rule["RuleName"]
    if _rule_of(visit, name) is not None:  # PutRule would replace it
        raise Fault("ResourceInUse", f"Name: there is a rule '{name}' already; change it on its page, or take another.")
    visit.change(SERVICE, "PutRule", Rule=rule)
    return visit.done(
        url("reaper", name), f"Rule {name} was created. It is off: look at what it would do, and turn it on."
    )


@posted("/reaper/undo")
def _undo(visit: Visit) -> Response:
    """Of a case, whose name holds slashes and is no part of an address."""
    fields = fields_of(visit.form)
    visit.change(SERVICE, "UndoReaping", CaseId=fields.get("case", ""))
    back = url("reaper", fields["rule"]) if "rule" in fields else url("reaper")
    return visit.done(back, "It is started again, and the rule leaves it alone for a day.")


@shown("/reaper/{name}")
def _page(visit: Visit) -> Response:
    name = visit.path["name"]
    rule = visit.call(SERVICE, "DescribeRule", RuleName=name)["Rule"]
    tells = arn_place(rule.get("TopicArn", ""), visit.region)
    return visit.page("reaper/page.html", rule=rule, tells=tells, **_choices(visit), **_happening(visit, name))


@posted("/reaper/{name}/change")
def _change(visit: Visit) -> Response:
    """All of a rule but whether it is on."""
    name = visit.path["name"]
    known = visit.quietly(SERVICE, "DescribeRule", RuleName=name)["Rule"]
    visit.change(SERVICE, "PutRule", Rule={**read_rule(visit.form, name), "Enabled": bool(known.get("Enabled"))})
    return visit.done(url("reaper", name), f"Rule {name} was changed; that counts at once.")


@posted("/reaper/{name}/switch")
def _switch(visit: Visit) -> Response:
    name, on = visit.path["name"], fields_of(visit.form).get("to") == "on"
    rule = visit.quietly(SERVICE, "DescribeRule", RuleName=name)["Rule"]
    visit.change(SERVICE, "PutRule", Rule={**rule, "Enabled": on})
    said = "on: from now on it does what the plan says" if on else "off; what it has stopped stays as it is"
    return visit.done(url("reaper", name), f"Rule {name} is {said}.")


@posted("/reaper/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change(SERVICE, "DeleteRule", RuleName=name)
    return visit.done(url("reaper"), f"Rule {name} was deleted; what it has stopped stays as it is.")


def _rule_of(visit: Visit, name: str) -> Mapping[str, Any] | None:
    try:
        return visit.quietly(SERVICE, "DescribeRule", RuleName=name)["Rule"]  # type: ignore[no-any-return]
    except Fault as fault:
        if fault.code != "ResourceNotFound":
            raise
        return None


def _happening(visit: Visit, name: str = "") -> dict[str, Any]:
    """The plan and the cases, of all rules or of one; None where the key may not ask for them."""
    planned = visit.attempt(SERVICE, "PlanReaping", **({"RuleNames": [name]} if name else {}))
    reapings = None if planned is None else planned["Reapings"]
    due = {(each["RuleName"], each["ResourceArn"]): each["At"] for each in reapings or [] if each["Step"] == "Wait"}
    return {
        "plan": None if reapings is None else [_planned(visit, each) for each in reapings],
        "cases": _cases(visit, name, due),
    }


def _planned(visit: Visit, reaping: Mapping[str, Any]) -> dict[str, Any]:
    """As `tobo reaper plan` prints it: the sentence, with this machine's time, and the calls."""
    at, name = f"{datetime.fromtimestamp(reaping['At']):%Y-%m-%d %H:%M:%S}", parse_arn(reaping["ResourceArn"]).resource
    before, _, after = sentence(reaping, at).partition(name)
    _, href = arn_place(reaping["ResourceArn"], visit.region)
    return {"before": before, "words": name, "href": href, "after": after, "calls": "\n".join(calls(reaping))}


def _cases(visit: Visit, name: str, due: Mapping[tuple[str, str], float]) -> list[dict[str, Any]] | None:
    """The newest first. ListCases knows no filter, so all of its pages are looked through."""
    first = visit.attempt(SERVICE, "ListCases")
    if first is None:
        return None
    pages = pages_of(partial(visit.quietly, SERVICE, "ListCases"), first)
    found = [case for page in pages for case in page["Cases"]]
    shown = [case for case in found if not name or case["RuleName"] == name]
    return [_case(visit, case, due) for case in shown[: -MOST_CASES - 1 : -1]]


def _case(visit: Visit, case: Mapping[str, Any], due: Mapping[tuple[str, str], float]) -> dict[str, Any]:
    words, href = arn_place(case["ResourceArn"], visit.region)
    kind = parse_arn(case["ResourceArn"]).resource.partition("/")[0]
    stopped = case["Status"] in ("Done", "Doomed") and case["Action"] != "NOTIFY"
    return {
        **case,
        "words": words,
        "href": href,
        "due": due.get((case["RuleName"], case["ResourceArn"])),
        "comes_back": stopped and kind in COME_BACK,
    }


def _words() -> dict[str, Any]:
    return {"kinds": KINDS, "actions": ACTIONS, "conditions": condition_words, "statuses": STATUSES, "span": span}


def _choices(visit: Visit) -> dict[str, Any]:
    """What the form proposes."""
    return {**_words(), "topics": topics_of(visit), "budgets": budgets_of(visit)}


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _undo, _page, _change, _switch, _delete)
