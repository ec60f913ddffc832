"""A change of state is told once, however often a killed server's work is done again: on a real store and real files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.kit.states import states_of
from tobo.operations.alarm_actions import ALARM_ACTIONS, AlarmAction, AlarmCall
from tobo.operations.context import Context
from tobo.operations.machine import Done
from tobo.operations.notifications import topic_file
from tobo.resources.alarms.alarm import changed, why
from tobo.resources.alarms.history import KEPT_SECONDS
from tobo.resources.alarms.history import KIND as HISTORY
from tobo.resources.alarms.states import STATES, TABLE
from tobo.resources.alarms.work import tell
from tobo.settings import Settings
from tobo.store.base import Key, Query, Row
from tobo.store.sql import SqlStore
from tobo.wire.models import service_model

SPACE = Namespace("111122223333", "us-east-1")
TOPIC = "arn:aws:sns:us-east-1:111122223333:told"
ASKED = {
    "AlarmName": "a",
    "Namespace": "Mine",
    "MetricName": "m",
    "Dimensions": [],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "LessThanThreshold",
    "ActionsEnabled": True,
    "AlarmActions": [TOPIC, TOPIC],
    "OKActions": [],
    "InsufficientDataActions": [],
}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    nothing = cast(Any, None)
    store = SqlStore(f"sqlite:///{tmp_path / 'tobo.db'}")
    yield Context(Settings(tmp_path), SetClock(), store, nothing, nothing, nothing, nothing, nothing, nothing)
    store.close()


def in_alarm(context: Context, **asked: Any) -> Row:
    """An alarm that has just become ALARM, with this still to be told."""
    now = context.clock.now()
    found = {**why("", None, now), "_changes": 0, "_pending": [], "AlarmConfigurationUpdatedTimestamp": now}
    row = Row(Key(SPACE, "alarm", "a"), "arn", {**ASKED, **asked}, found, "OK", "OK", now, now)
    row = context.store.insert(row)
    return replace(row, found={**row.found, **changed(row, "ALARM", "too few", None, now)}, state="ALARM")


def history(context: Context) -> list[Row]:
    return context.store.page(Query(SPACE, HISTORY, descending=False)).rows


def test_the_states_are_cloudwatchs() -> None:
    assert states_of(TABLE) == set(STATES) == set(service_model("cloudwatch").shape_for("StateValue").enum)


def test_work_that_is_done_again_tells_nothing_again(context: Context) -> None:
    row = in_alarm(context)
    assert tell(context, row) == Done({"_pending": []})
    first = history(context)
    assert [item.asked["HistoryItemType"] for item in first] == ["StateUpdate", "Action"]
    tell(context, row)
    context.store.delete(history(context)[1])  # killed when the topic was told and the history was not
    tell(context, row)
    assert [item.key for item in history(context)] == [item.key for item in first]
    assert topic_file(context.settings, TOPIC).read_text().count("\n") == 1


def test_an_action_that_fails_is_told_and_the_others_are_done(context: Context) -> None:
    def refuse(context: Context, space: Namespace, arn: str, call: AlarmCall) -> None:
        raise Fault("ValidationError", "There is nothing there.")

    gone = "arn:aws:gone:us-east-1:111122223333:thing"
    ALARM_ACTIONS["gone"] = AlarmAction(refuse, refuse)
    try:
        tell(context, in_alarm(context, AlarmActions=[gone, TOPIC]))
    finally:
        del ALARM_ACTIONS["gone"]
    told = [item.asked["HistorySummary"] for item in history(context)]
    assert told == [
        "Alarm updated from OK to ALARM",
        f"Failed to execute action {gone}",
        f"Successfully executed action {TOPIC}",
    ]
    assert "There is nothing there." in history(context)[1].asked["HistoryData"]


def test_history_goes_after_thirty_days(context: Context) -> None:
    row, clock = in_alarm(context), cast(SetClock, context.clock)
    for seconds, items in ((0.0, 2), (KEPT_SECONDS - 1, 2), (2.0, 0)):
        clock.turn(seconds)
        tell(context, row)
        assert len(history(context)) == items
