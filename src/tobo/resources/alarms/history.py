"""What happened to alarms: changes of state and configuration, and actions; kept longer than the alarms themselves."""

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import rows_of
from tobo.resources.alarms.alarm import SERVICE, alarm_arn, iso_time, type_of
from tobo.store.base import AlreadyExists, Conflict, Key, Row

KIND = "alarm-history"

KEPT_SECONDS = 30 * 86400.0
"""As on AWS."""

_PAGE = 100
_LONGEST_SUMMARY, _LONGEST_DATA = 255, 4095


def _named_alarm(call: Call, asked: Mapping[str, Any]) -> str:
    return alarm_arn(call.space, asked["AlarmName"]) if "AlarmName" in asked else "*"


@operation(SERVICE, "DescribeAlarmHistory", resource=_named_alarm)
def describe_alarm_history(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of an alarm, also a deleted one, or of all; the newest first. Raises Fault InvalidNextToken."""
    wanted = {
        "NextToken": asked.get("NextToken"),
        "MaxResults": asked.get("MaxRecords"),
        "CreationTimeAfter": asked.get("StartDate"),
        "CreationTimeBefore": asked.get("EndDate"),
        "SortOrder": "Ascending" if asked.get("ScanBy") == "TimestampAscending" else "Descending",
        "AlarmName": asked.get("AlarmName"),
        "HistoryItemType": asked.get("HistoryItemType"),
        "AlarmType": asked["AlarmTypes"][0] if len(asked.get("AlarmTypes", ())) == 1 else None,
    }
    where = {member: wanted[member] for member in ("AlarmName", "HistoryItemType", "AlarmType")}
    prefix = f"{asked['AlarmName']}/" if "AlarmName" in asked else None
    try:
        return list_rows(call, KIND, wanted, "AlarmHistoryItems", _described, where, _PAGE, name_prefix=prefix)
    except Fault as fault:
        raise Fault("InvalidNextToken", fault.message) from None


def is_written(context: Context, alarm: Row, ordinal: str) -> bool:
    """Whether an alarm's history has an item of this ordinal."""
    return context.store.get(_key(alarm, ordinal)) is not None


def write(
    context: Context, alarm: Row, ordinal: str, at: float, kind: str, summary: str, data: Mapping[str, Any]
) -> None:
    """Adds an item under its ordinal, as of `at`; done twice it is there once. `kind` is the HistoryItemType."""
    at = round(at, 3)  # CloudWatch's times are of milliseconds: what a client is told finds the item again
    row = Row(
        key=_key(alarm, ordinal),
        arn="",
        asked={
            "AlarmName": alarm.key.name,
            "AlarmType": type_of(alarm),
            "HistoryItemType": kind,
            "HistorySummary": summary[:_LONGEST_SUMMARY],
            "HistoryData": orjson.dumps({"version": "1.0", **data}, default=str).decode()[:_LONGEST_DATA],
        },
        found={},
        status="",
        state="Written",
        created=at,
        modified=at,
    )
    with contextlib.suppress(AlreadyExists):
        context.store.insert(row)


def forget_old(context: Context, space: Namespace) -> None:
    """Deletes the items that are older than AWS keeps them, of all alarms."""
    for old in rows_of(context.store, space, KIND):
        if old.created > context.clock.now() - KEPT_SECONDS:
            break
        with contextlib.suppress(Conflict):  # gone already
            context.store.delete(old)


def _key(alarm: Row, ordinal: str) -> Key:
    return Key(alarm.key.space, KIND, f"{alarm.key.name}/{ordinal}")


def _described(row: Row) -> dict[str, Any]:
    return {**row.asked, "Timestamp": iso_time(row.created)}
