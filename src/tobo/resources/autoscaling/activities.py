"""Scaling activities: what was changed, why, and what became of it. Source: API reference, DescribeScalingActivities."""

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Arn
from tobo.operations.context import Call, Context
from tobo.operations.registry import operation
from tobo.operations.rows import rows_of
from tobo.resources.autoscaling.resource import (
    ACTIVITIES,
    INSTANCES,
    SAGEMAKER,
    SERVICE,
    describe_rows,
)
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

KEPT_SECONDS = 42 * 86400.0
"""Six weeks, as on AWS."""


@operation(SERVICE, "DescribeScalingActivities")
def describe_scaling_activities(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first. Evaluations that led to nothing are not recorded, so IncludeNotScaledActivities adds nothing."""
    return describe_rows(call, ACTIVITIES, asked, "ScalingActivities", _described, newest_first=True)


def begin_activity(context: Context, target: Row, ordinal: str, description: str, cause: str) -> None:
    """Records a target's activity under its ordinal; done twice it is there once. Old ones go."""
    now = context.clock.now()
    space = target.key.space
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{target.arn}/{ordinal}"))
    row = Row(
        key=_key(target, ordinal),
        arn=str(Arn(SERVICE, space.region, space.account, f"scaling-activity/{identity}")),
        asked={"ActivityId": identity, "ResourceId": target.key.name, "Description": description, "Cause": cause},
        found={},
        status="InProgress",
        state="InProgress",
        created=now,
        modified=now,
    )
    try:
        context.store.insert(row, Event(now, "began", "InProgress"))
    except AlreadyExists:
        return
    for old in rows_of(context.store, space, ACTIVITIES, f"{target.key.name}/"):
        if old.modified > now - KEPT_SECONDS:
            break
        with contextlib.suppress(Conflict):  # gone already
            context.store.delete(old)


def end_activity(context: Context, target: Row, ordinal: str, status: str, message: str) -> None:
    """Successful or Failed; done twice the first one stays."""
    row = context.store.get(_key(target, ordinal))
    if row is None or row.status != "InProgress":
        return
    now = context.clock.now()
    found = {"EndTime": now, "StatusMessage": message}
    try:
        context.store.update(row, Event(now, "ended", status), status=status, state=status, found=found, modified=now)
    except Conflict:
        return  # by the same work, which a killed server had begun


def ordinal_of(target: Row) -> str:
    """Names the activity of a target that is under way, or was last."""
    return f"{target.id}-{target.found.get('_activities', 0)}"


def _key(target: Row, ordinal: str) -> Key:
    return Key(target.key.space, ACTIVITIES, f"{target.key.name}/{ordinal}")


def _described(row: Row) -> dict[str, Any]:
    return {
        "ServiceNamespace": SAGEMAKER,
        "ScalableDimension": INSTANCES,
        **row.asked,
        **row.found,
        "StartTime": row.created,
        "StatusCode": row.status,
    }
