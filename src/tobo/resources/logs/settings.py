"""What was asked of a log group beyond its events: retention, tags, key, class. Without a wish there is no row."""

from collections.abc import Mapping
from typing import Any

from tobo.operations.context import Call
from tobo.resources.logs.names import group_arn
from tobo.store.base import AlreadyExists, Conflict, Key, Row

KIND = "log-group"
_DAY = 86_400_000


def settings_of(call: Call, group: str) -> Row | None:
    return call.context.store.get(Key(call.space, KIND, group))


def made_settings(call: Call, group: str, asked: Mapping[str, Any] | None = None) -> Row:
    """The group's row, made where there is none yet."""
    row = Row(
        key=Key(call.space, KIND, group),
        arn=group_arn(call.space, group),
        asked=asked or {},
        found={},
        status="",
        state="Kept",
        created=call.now,
        modified=call.now,
    )
    try:
        return call.context.store.insert(row)
    except AlreadyExists:
        return settings_of(call, group) or made_settings(call, group, asked)


def change_tags(call: Call, group: str, put: Mapping[str, str], removed: tuple[str, ...] = ()) -> None:
    """Adds and removes tags."""
    while True:
        row = made_settings(call, group)
        tags = {name: value for name, value in {**row.tags, **put}.items() if name not in removed}
        try:
            call.context.store.update(row, tags=tags)
        except Conflict:
            continue
        return


def drop_settings(call: Call, group: str) -> None:
    while row := settings_of(call, group):
        try:
            call.context.store.delete(row)
        except Conflict:
            continue


def cutoff(row: Row | None, now: float) -> int:
    """Events older than this (epoch milliseconds) are expired; 0 where they never are."""
    days = row.found.get("retentionInDays") if row else None
    return int(now * 1000) - days * _DAY if days else 0


def asked_of(row: Row | None) -> dict[str, Any]:
    """The members of a described group that were asked for."""
    if row is None:
        return {}
    described = {name: row.asked[name] for name in ("kmsKeyId", "logGroupClass") if name in row.asked}
    if row.found.get("retentionInDays"):
        described["retentionInDays"] = row.found["retentionInDays"]
    return described
