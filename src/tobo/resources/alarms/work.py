"""What the controller does for alarms; each command is safe to repeat.

One look judges an alarm by its metric. A change of state is written with what is still to be told of it, in one
transaction; `tell` then writes the history and does the actions, each under an ordinal of its own.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.alarm_actions import AlarmCall, alarm_action
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.alarms import history
from tobo.resources.alarms.alarm import KIND, actions_of, as_told, changed, is_composite, iso_time, why
from tobo.resources.alarms.composite import LOOK_SECONDS, judge_rule
from tobo.resources.alarms.evaluation import Judgement, Rule, judge
from tobo.resources.alarms.measuring import evaluation_range, next_look, period_of, step
from tobo.resources.alarms.putting import UNCHECKED
from tobo.resources.alarms.states import STATES, TABLE
from tobo.store.base import Row

REST_SECONDS = 60.0

_SHOWN = 10
"""Datapoints that StateReasonData tells: it may have 4000 characters."""


def watch(context: Context, row: Row) -> Outcome:
    """One look, once a period and once a minute at least; what stays as it is is asked for its repeating actions again."""
    now = context.clock.now()
    left = row.found.get("_look", 0.0) - now
    if left > 0:
        return Again(min(left, LOOK_SECONDS if is_composite(row) else step(row.asked)))  # a clock may be set back
    if is_composite(row):
        return _watch_rule(context, row, now)
    asked = row.asked
    needed = asked.get("DatapointsToAlarm", asked["EvaluationPeriods"])
    rule = Rule(
        asked["ComparisonOperator"],
        asked["Threshold"],
        asked["EvaluationPeriods"],
        needed,
        asked.get("TreatMissingData", "missing"),
    )
    found = judge(rule, evaluation_range(context.metrics, row.key.space, asked, now), row.state)
    following = next_look(asked, now)
    if found.state != row.state:
        change = changed(row, found.state, found.reason, _reason_data(asked, found, now), now, found.judged)
        return Happened(found.state, {**change, "_look": following}, found.reason)
    _repeat(context, row, found, now)
    pause = following - now
    if row.found["StateReason"] == UNCHECKED and found.reason:
        return Again(pause, why(found.reason, _reason_data(asked, found, now), now))
    return Again(pause)


def _watch_rule(context: Context, row: Row, now: float) -> Outcome:
    """A composite alarm is looked at every second: the alarms of its rule are watched by themselves."""
    state, reason, data = judge_rule(context, row)
    if state != row.state:
        return Happened(state, changed(row, state, reason, data, now), reason)
    return Again(LOOK_SECONDS)


def tell(context: Context, row: Row) -> Outcome:
    """Writes the changes of state into the history, and does their actions, in the order in which they came."""
    for change in row.found["_pending"]:
        _write_change(context, row, change)
        for number, arn in enumerate(change["actions"]):
            _do(context, row, change, f"{change['ordinal']}-{number}", arn)
    history.forget_old(context, row.key.space)
    return Done({"_pending": []})


def rest(context: Context, row: Row) -> Outcome:
    """A minute from the failure on."""
    left = row.modified + REST_SECONDS - context.clock.now()
    return Again(left) if left > 0 else Done()


def _write_change(context: Context, row: Row, change: Mapping[str, Any]) -> None:
    told = {
        "oldState": {**change["was"], "stateReasonData": None},
        "newState": {**change["is"], "stateReasonData": _read(change["is"]["stateReasonData"])},
    }
    was, now = change["was"]["stateValue"], change["is"]["stateValue"]
    summary = f"Alarm updated from {was} to {now}"
    history.write(context, row, change["ordinal"], change["at"], "StateUpdate", summary, told)


def _do(context: Context, row: Row, change: Mapping[str, Any], ordinal: str, arn: str) -> None:
    """One action of a change, unless the history knows that it was done."""
    if history.is_written(context, row, ordinal):
        return
    call = AlarmCall(ordinal, change["alarm"], change["was"]["stateValue"], change["at"], change["values"])
    told = {"actionState": "Succeeded", "stateUpdateTimestamp": int(change["at"] * 1000), "notificationResource": arn}
    try:
        alarm_action(arn).act(context, row.key.space, arn, call)
        summary = f"Successfully executed action {arn}"
    except Fault as fault:
        summary, told = f"Failed to execute action {arn}", {**told, "actionState": "Failed", "error": fault.message}
    history.write(context, row, ordinal, context.clock.now(), "Action", summary, told)


def _repeat(context: Context, row: Row, found: Judgement, now: float) -> None:
    """Those actions that go on while the alarm stays: not written down, and what comes of them is theirs to tell."""
    if not row.found["_changes"]:
        return
    told, values = as_told(row, row.state, row.found["StateReason"]), [point.value for point in found.judged]
    for number, arn in enumerate(actions_of(row, row.state)):
        with contextlib.suppress(Fault):  # the first time has told it
            if (action := alarm_action(arn)).repeats:
                ordinal = f"{row.id}-{row.found['_changes']}-{number}-{now}"
                action.act(context, row.key.space, arn, AlarmCall(ordinal, told, row.state, now, values))


def _reason_data(asked: Mapping[str, Any], found: Judgement, now: float) -> str | None:
    """CloudWatch's JSON about the datapoints that an alarm was judged by."""
    if not found.judged:
        return None
    shown = found.judged[-_SHOWN:]
    told = {
        "version": "1.0",
        "queryDate": _time(now),
        "startDate": _time(found.judged[0].at),
        **({"statistic": statistic} if (statistic := asked.get("Statistic") or asked.get("ExtendedStatistic")) else {}),
        "period": period_of(asked),
        "recentDatapoints": [point.value for point in shown],
        "threshold": asked["Threshold"],
        "evaluatedDatapoints": [{"timestamp": _time(point.at), "value": point.value} for point in reversed(shown)],
    }
    return orjson.dumps(told | ({"unit": asked["Unit"]} if "Unit" in asked else {})).decode()


def _read(data: str | None) -> Any:
    """A caller's StateReasonData may be anything."""
    try:
        return None if data is None else orjson.loads(data)
    except ValueError:
        return data


def _time(at: float) -> str:
    return iso_time(at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


register(Machine(KIND, TABLE, {state: state for state in STATES}, (watch, tell, rest)))
