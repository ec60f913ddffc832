"""One look at an alarm after another, by the clock: what changes, what is repeated, and when it looks again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.operations.alarm_actions import ALARM_ACTIONS, AlarmAction, AlarmCall
from tobo.operations.context import Call, Context, Principal, serve
from tobo.operations.machine import Again, Done, advance
from tobo.operations.machine import Happened as Event
from tobo.resources.alarms import putting
from tobo.resources.alarms.alarm import why
from tobo.resources.alarms.measuring import SETTLING_SECONDS
from tobo.resources.alarms.work import tell, watch
from tobo.settings import Settings
from tobo.store.base import Key, Row
from tobo.store.sql import SqlStore
from tobo.telemetry.base import Point
from tobo.telemetry.series import SqlMetrics

SPACE = Namespace("111122223333", "us-east-1")
BEGIN = 1_700_000_040.0 + SETTLING_SECONDS  # a whole minute is over and written
ONCE, AGAIN = "arn:aws:once:us-east-1:111122223333:x", "arn:aws:again:us-east-1:111122223333:x"
ASKED = {
    "AlarmName": "a",
    "Namespace": "Mine",
    "MetricName": "m",
    "Dimensions": [],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "ActionsEnabled": True,
    "AlarmActions": [ONCE, AGAIN],
    "OKActions": [],
    "InsufficientDataActions": [],
}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    nothing = cast(Any, None)
    store, metrics = SqlStore(f"sqlite:///{tmp_path / 'tobo.db'}"), SqlMetrics(tmp_path / "metrics.db")
    yield Context(Settings(tmp_path), SetClock(BEGIN), store, nothing, nothing, metrics, nothing, nothing, nothing)
    metrics.close()
    store.close()


@pytest.fixture
def called() -> Iterator[list[tuple[str, AlarmCall]]]:
    """What the two actions were called with."""
    calls: list[tuple[str, AlarmCall]] = []
    for service, repeats in (("once", False), ("again", True)):
        ALARM_ACTIONS[service] = AlarmAction(
            lambda context, space, arn: None, lambda context, space, arn, call: calls.append((arn, call)), repeats
        )
    yield calls
    del ALARM_ACTIONS["once"], ALARM_ACTIONS["again"]


def put_alarm(context: Context) -> Row:
    found = {**why("", None, BEGIN), "_changes": 0, "_pending": [], "AlarmConfigurationUpdatedTimestamp": BEGIN}
    return context.store.insert(Row(Key(SPACE, "alarm", "a"), "arn", ASKED, found, "OK", "OK", BEGIN, BEGIN))


def look(context: Context, row: Row) -> Row:
    """One look and what the controller makes of it, telling included; asserts that the next one is a minute away."""
    outcome = watch(context, row)
    if isinstance(outcome, Event):
        row = advance(context, row, outcome.event, outcome.found)
        assert tell(context, row) == Done({"_pending": []})
        row = context.store.update(row, found={**row.found, "_pending": []})
        outcome = watch(context, row)
    assert isinstance(outcome, Again) and outcome.seconds == pytest.approx(60.0)
    return row


def test_actions_of_topics_are_done_once_and_those_of_policies_again(
    context: Context, called: list[tuple[str, AlarmCall]]
) -> None:
    clock, row = cast(SetClock, context.clock), put_alarm(context)
    context.metrics.put(SPACE, [Point("Mine", "m", {}, BEGIN - 30 + 60 * minute, 9.0 + minute) for minute in range(3)])
    row = look(context, row)
    assert row.state == "ALARM" and [arn for arn, _ in called] == [ONCE, AGAIN]
    for minutes in (1, 2):
        clock.turn(60)
        row = look(context, row)
        assert [arn for arn, _ in called] == [ONCE, AGAIN] + [AGAIN] * minutes
    assert [list(call.values) for _, call in called] == [[9.0], [9.0], [10.0], [11.0]]
    assert len({call.ordinal for _, call in called}) == 4
    assert {(call.was, call.alarm["StateValue"]) for _, call in called[2:]} == {("ALARM", "ALARM")}
    row = context.store.update(row, asked={**ASKED, "ActionsEnabled": False})
    clock.turn(60)
    look(context, row)
    assert len(called) == 4


def test_a_region_has_so_many_alarms_and_no_more(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(putting, "MOST_ALARMS", 2)
    root = Call(context, Principal(SPACE.account, f"arn:aws:iam::{SPACE.account}:root", SPACE.account), SPACE)
    asked = {**ASKED, "AlarmActions": []}
    for name in ("a", "b", "a"):  # one that is there may be put anew
        serve(root, "cloudwatch", "PutMetricAlarm", {**asked, "AlarmName": name})
    with pytest.raises(Fault, match="There are 2 alarms in us-east-1") as refused:
        serve(root, "cloudwatch", "PutMetricAlarm", {**asked, "AlarmName": "c"})
    assert refused.value.code == "LimitExceeded"


def test_a_clock_that_is_set_back_costs_a_period_at_most(context: Context) -> None:
    clock, row = cast(SetClock, context.clock), put_alarm(context)
    row = context.store.update(row, found={**row.found, "_look": BEGIN + 60})
    clock.turn(-86_400)
    assert watch(context, row) == Again(60)
