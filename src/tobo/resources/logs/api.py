"""Operations on log groups and streams; those on events are in events.py and filtering.py."""

from collections.abc import Mapping
from typing import Any

from tobo.operations.context import Call
from tobo.operations.machine import advance_fresh
from tobo.operations.registry import Asked, operation
from tobo.resources.logs.names import (
    SEQUENCE_TOKEN,
    group_arn,
    group_resource,
    identified_group,
    invalid,
    named_group,
    read_token,
    stream_arn,
    stream_resource,
    write_token,
)
from tobo.resources.logs.settings import KIND, asked_of, change_tags, drop_settings, made_settings, settings_of
from tobo.store.base import Key, Row
from tobo.telemetry.base import LogStream

_PAGE = 50
_RETENTIONS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)


@operation("logs", "CreateLogGroup", resource=group_resource)
def create_log_group(call: Call, asked: Asked) -> dict[str, Any]:
    group = asked["logGroupName"]
    if asked.get("deletionProtectionEnabled"):
        raise invalid("deletionProtectionEnabled is not built in tobo; create the log group without it.")
    call.context.logs.create_group(call.space, group)
    wishes = {name: asked[name] for name in ("kmsKeyId", "logGroupClass") if name in asked}
    if wishes:
        made_settings(call, group, wishes)
    if tags := asked.get("tags"):
        change_tags(call, group, tags)
    return {}


@operation("logs", "DeleteLogGroup", resource=group_resource)
def delete_log_group(call: Call, asked: Asked) -> dict[str, Any]:
    group = _known(call, asked["logGroupName"])
    drop_settings(call, group)
    call.context.logs.delete_group(call.space, group)
    return {}


@operation("logs", "DescribeLogGroups", resource=group_resource)
def describe_log_groups(call: Call, asked: Asked) -> dict[str, Any]:
    prefix, pattern = asked.get("logGroupNamePrefix"), asked.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise invalid("Give either logGroupNamePrefix or logGroupNamePattern, and not both.")
    found = [group for group in call.context.logs.groups(call.space, prefix or "") if (pattern or "") in group.name]
    if identifiers := asked.get("logGroupIdentifiers"):
        named = {identified_group(call.space, identifier) for identifier in identifiers}
        found = [group for group in found if group.name in named]
    if token := asked.get("nextToken"):
        (after,) = read_token(token, (str,))
        found = [group for group in found if group.name > after]
    limit = asked.get("limit", _PAGE)
    answer: dict[str, Any] = {"logGroups": []}
    for group in found[:limit]:
        arn = group_arn(call.space, group.name)
        described = {
            "logGroupName": group.name,
            "creationTime": group.created,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "storedBytes": group.size,
            "logGroupClass": "STANDARD",
            "logGroupArn": arn,
            **asked_of(settings_of(call, group.name)),
        }
        answer["logGroups"].append(described)
    if len(found) > limit:
        answer["nextToken"] = write_token(found[limit - 1].name)
    return answer


@operation("logs", "PutRetentionPolicy", resource=group_resource)
def put_retention_policy(call: Call, asked: Asked) -> dict[str, Any]:
    """From now on older events are not shown; their room is freed within the hour after a whole stream has expired."""
    days = asked["retentionInDays"]
    if days not in _RETENTIONS:
        raise invalid(f"retentionInDays {days} is not one of {', '.join(map(str, sorted(_RETENTIONS)))}.")
    group = _known(call, asked["logGroupName"])
    _advance(call, group, "RetentionPut", days)
    return {}


@operation("logs", "DeleteRetentionPolicy", resource=group_resource)
def delete_retention_policy(call: Call, asked: Asked) -> dict[str, Any]:
    group = _known(call, asked["logGroupName"])
    if settings_of(call, group):
        _advance(call, group, "RetentionDeleted", None)
    return {}


@operation("logs", "TagResource", resource=group_resource)
def tag_resource(call: Call, asked: Asked) -> dict[str, Any]:
    group = _known(call, identified_group(call.space, asked["resourceArn"]))
    change_tags(call, group, asked["tags"])
    return {}


@operation("logs", "UntagResource", resource=group_resource)
def untag_resource(call: Call, asked: Asked) -> dict[str, Any]:
    group = _known(call, identified_group(call.space, asked["resourceArn"]))
    change_tags(call, group, {}, tuple(asked["tagKeys"]))
    return {}


@operation("logs", "ListTagsForResource", resource=group_resource)
def list_tags_for_resource(call: Call, asked: Asked) -> dict[str, Any]:
    row = settings_of(call, _known(call, identified_group(call.space, asked["resourceArn"])))
    return {"tags": dict(row.tags) if row else {}}


@operation("logs", "CreateLogStream", resource=stream_resource)
def create_log_stream(call: Call, asked: Asked) -> dict[str, Any]:
    call.context.logs.create_stream(call.space, asked["logGroupName"], asked["logStreamName"])
    return {}


@operation("logs", "DeleteLogStream", resource=stream_resource)
def delete_log_stream(call: Call, asked: Asked) -> dict[str, Any]:
    call.context.logs.delete_stream(call.space, asked["logGroupName"], asked["logStreamName"])
    return {}


@operation("logs", "DescribeLogStreams", resource=group_resource)
def describe_log_streams(call: Call, asked: Asked) -> dict[str, Any]:
    """By name or by the time of the last event (streams without one count as oldest). No nextToken on the last page."""
    group = named_group(call, asked)
    prefix = asked.get("logStreamNamePrefix", "")
    by_time = asked.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix; leave one of them out.")
    descending = asked.get("descending", False)

    def place(stream: LogStream) -> tuple[int, str]:
        return (stream.last or 0 if by_time else 0), stream.name

    found = sorted(call.context.logs.streams(call.space, group, prefix), key=place, reverse=descending)
    if token := asked.get("nextToken"):
        last, name = read_token(token, (int, str))
        found = [s for s in found if (place(s) < (last, name) if descending else place(s) > (last, name))]
    limit = asked.get("limit", _PAGE)
    answer: dict[str, Any] = {"logStreams": [_described_stream(call, group, stream) for stream in found[:limit]]}
    if len(found) > limit:
        answer["nextToken"] = write_token(*place(found[limit - 1]))
    return answer


def _described_stream(call: Call, group: str, stream: LogStream) -> Mapping[str, Any]:
    described: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": stream_arn(call.space, group, stream.name),
        "storedBytes": stream.size,
        "uploadSequenceToken": SEQUENCE_TOKEN,
    }
    if stream.first is not None and stream.last is not None:
        described["firstEventTimestamp"] = stream.first
        described["lastEventTimestamp"] = described["lastIngestionTime"] = stream.last
    return described


def _known(call: Call, group: str) -> str:
    """The group's name; raises Fault ResourceNotFoundException."""
    call.context.logs.check_group(call.space, group)
    return group


def _advance(call: Call, group: str, event: str, days: int | None) -> None:
    def read() -> Row:
        return call.context.store.get(Key(call.space, KIND, group)) or made_settings(call, group)

    advance_fresh(call.context, read, event, {"retentionInDays": days})
