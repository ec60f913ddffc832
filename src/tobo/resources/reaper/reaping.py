"""Reaping: all rules over all resources of an account, as a plan or as deeds. What the plan says is what is done."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from tobo.kit.arn import Arn, Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, Principal, serve
from tobo.operations.policy import Statement
from tobo.resources.reaper.cases import case_name, case_of, cases_of, kept, open_case
from tobo.resources.reaper.deciding import Case, Decision, Deed, carried_out, decide
from tobo.resources.reaper.facts import facts_of
from tobo.resources.reaper.rules import Fact, Rule
from tobo.store.base import AlreadyExists, Conflict, Event, Row

log = logging.getLogger("tobo.reaper")

Perform = Callable[[Context, Namespace, Deed], None]

MAY = (
    *(f"sagemaker:Stop{kind}" for kind in ("TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob")),
    *("sagemaker:StopNotebookInstance", "sagemaker:StartNotebookInstance", "sagemaker:DeleteNotebookInstance"),
    *("sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:DeleteEndpoint", "sns:Publish"),
)
"""All that the reaper may do, whatever its rules say."""


class Planned(NamedTuple):
    """A rule, the resource that it is about, its case if there is one, and what is to be done."""

    rule: Rule
    fact: Fact
    row: Row | None
    decision: Decision


def principal(account: str) -> Principal:
    """The reaper's own, by which the audit log knows its deeds."""
    arn = str(Arn("sts", "", account, "assumed-role/tobo-reaper/tobo"))
    return Principal(account, arn, "tobo-reaper", statements=(Statement("Allow", MAY, ("*",)),))


def plan(context: Context, account: str, rules: Sequence[Rule]) -> Iterator[Planned]:
    """What is to be done, or waited for, now; nothing is done."""
    now = context.clock.now()
    rows = {row.key.name: row for row in cases_of(context, account)}
    for fact in facts_of(context, account, {kind for rule in rules for kind in rule["Kinds"]}):
        for rule in rules:
            row = rows.get(case_name(rule, fact.arn))
            decision = decide(rule, fact, None if row is None else case_of(row), now)
            if decision is not None:
                yield Planned(rule, fact, row, decision)


def reap(context: Context, account: str, rules: Sequence[Rule], perform: Perform) -> None:
    """Does it. Of several rules about one resource the first one's deeds are done; the others find out at the next look."""
    touched = set[str]()
    for planned in list(plan(context, account, rules)):
        if planned.decision.what in ("Act", "Delete"):
            if planned.fact.arn in touched:
                continue
            touched.add(planned.fact.arn)
        with suppress(Conflict, AlreadyExists):  # somebody has undone it meanwhile: the next look counts
            _STEPS[planned.decision.what](context, planned, perform)
    _forget_the_gone(context, account, rules)


def undo(context: Context, row: Row, perform: Perform) -> tuple[Deed, ...]:
    """Brings back what was stopped; the rule lets it be for a day. Raises the Faults of its calls, Conflict."""
    case = case_of(row)
    space = Namespace(row.key.space.account, row.asked["Region"])
    for deed in case.undo:
        perform(context, space, deed)
    undone = Case("Undone", case.noticed, context.clock.now())
    _write(context, row, undone, row.found["Reason"])
    return case.undo


def perform(context: Context, space: Namespace, deed: Deed) -> None:
    """Through the API, as the reaper. Raises its Faults."""
    serve(Call(context, principal(space.account), space), "sagemaker", deed.operation, deed.request)


def _notice(context: Context, planned: Planned, perform: Perform) -> None:
    rule, fact, _, decision = planned
    case = Case("Noticed", context.clock.now())
    open_case(context, rule, fact, kept(case, decision.why))
    minutes = rule.get("GraceMinutes", 60)
    ahead = "nothing is done about it" if rule["Action"] == "NOTIFY" else f"{rule['Action']} in {minutes} minutes"
    _tell(context, rule, fact, f"{fact.kind} {fact.name}: {decision.why}; {ahead}, unless it is tagged tobo:keep.")


def _act(context: Context, planned: Planned, perform: Perform) -> None:
    rule, fact, row, decision = planned
    if row is None or not _performed(context, planned, perform):
        return
    _write(context, row, carried_out(rule, fact, case_of(row), context.clock.now()), decision.why)
    if rule["Action"] != "NOTIFY":
        _tell(context, rule, fact, f"{fact.kind} {fact.name}: {rule['Action']} was done, since {decision.why}.")


def _delete(context: Context, planned: Planned, perform: Perform) -> None:
    rule, fact, row, _ = planned
    if row is None or not _performed(context, planned, perform):
        return
    context.store.delete(row)
    _tell(context, rule, fact, f"{fact.kind} {fact.name} was deleted, a day after it was stopped.")


def _performed(context: Context, planned: Planned, perform: Perform) -> bool:
    """What is refused is written down, and tried again at the next look."""
    rule, fact, row, decision = planned
    try:
        for deed in decision.deeds:
            perform(context, fact.space, deed)
    except Fault as fault:
        if row is not None and row.found.get("Failure") != fault.message:
            log.warning("rule %s could not %s %s: %s", rule["RuleName"], rule["Action"], fact.arn, fault.message)
            _write(context, row, case_of(row), decision.why, fault.message)
        return False
    return True


def _drop(context: Context, planned: Planned, perform: Perform) -> None:
    assert planned.row is not None
    context.store.delete(planned.row)


def _wait(context: Context, planned: Planned, perform: Perform) -> None:
    """Its time has not come."""


_STEPS: dict[str, Callable[[Context, Planned, Perform], None]] = {
    "Notice": _notice,
    "Act": _act,
    "Delete": _delete,
    "Drop": _drop,
    "Wait": _wait,
}


def _write(context: Context, row: Row, case: Case, why: str, failure: str | None = None) -> None:
    found = kept(case, why, failure)
    if found != row.found:
        now = context.clock.now()
        context.store.update(
            row, Event(now, case.status.lower(), row.state), found=found, status=case.status, modified=now
        )


def _forget_the_gone(context: Context, account: str, rules: Sequence[Rule]) -> None:
    """Cases of rules and resources that are there no longer."""
    names = {rule["RuleName"] for rule in rules}
    for row in cases_of(context, account):
        gone = context.store.find_arn(row.asked["ResourceArn"]) is None
        if gone or row.asked["RuleName"] not in names:
            with suppress(Conflict):
                context.store.delete(row)


def _tell(context: Context, rule: Rule, fact: Fact, text: str) -> None:
    log.info("rule %s: %s", rule["RuleName"], text)
    topic = rule.get("TopicArn")
    if topic is None:
        return
    arn = parse_arn(topic)
    try:
        by = Call(context, principal(fact.space.account), Namespace(arn.account, arn.region))
        subject = f"tobo reaper: {fact.kind} {fact.name}"[:100]
        serve(by, "sns", "Publish", {"TopicArn": topic, "Subject": subject, "Message": text})
    except Fault as fault:
        log.warning("%s was not told: %s", topic, fault.message)
