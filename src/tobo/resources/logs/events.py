"""PutLogEvents and GetLogEvents: one stream's events, written in any order, read from any place in both directions."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.logs.names import SEQUENCE_TOKEN, invalid, named_group, stream_resource
from tobo.resources.logs.settings import cutoff, settings_of
from tobo.telemetry.base import LogEvent

_BATCH_BYTES = 1_048_576
_EVENT_OVERHEAD = 26
_HOUR = 3_600_000
_OLDEST = 14 * 24 * _HOUR
_NEWEST = 2 * _HOUR


@operation("logs", "PutLogEvents", resource=stream_resource)
def put_log_events(call: Call, asked: Asked) -> dict[str, Any]:
    """A batch in chronological order, of at most 1 MiB and 24 hours; what is too old or too far ahead is left out."""
    group, stream = asked["logGroupName"], asked["logStreamName"]
    events = [(event["timestamp"], event["message"]) for event in asked["logEvents"]]
    size = sum(len(message.encode()) + _EVENT_OVERHEAD for _, message in events)
    if size > _BATCH_BYTES:
        raise invalid(
            f"The batch has {size} bytes (26 counted for each event), more than {_BATCH_BYTES}; send smaller batches."
        )
    times = [at for at, _ in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    now = int(call.now * 1000)
    expired, too_old = cutoff(settings_of(call, group), call.now), now - _OLDEST
    accepted = [event for event in events if max(expired, too_old) <= event[0] <= now + _NEWEST]
    if accepted and accepted[-1][0] - accepted[0][0] > 24 * _HOUR:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    call.context.logs.append(call.space, group, stream, accepted)
    answer: dict[str, Any] = {"nextSequenceToken": SEQUENCE_TOKEN}
    if len(accepted) < len(events):
        answer["rejectedLogEventsInfo"] = _rejected(times, expired, too_old, now + _NEWEST)
    return answer


def _rejected(times: Sequence[int], expired: int, too_old: int, newest: int) -> Mapping[str, int]:
    """Ends are exclusive, the start is inclusive."""
    ends = {
        "tooOldLogEventEndIndex": sum(at < too_old for at in times),
        "expiredLogEventEndIndex": sum(at < expired for at in times),
    }
    rejected = {member: end for member, end in ends.items() if end}
    if (ahead := sum(at <= newest for at in times)) < len(times):
        rejected["tooNewLogEventStartIndex"] = ahead
    return rejected


@operation("logs", "GetLogEvents", resource=stream_resource)
def get_log_events(call: Call, asked: Asked) -> dict[str, Any]:
    """A page of at most `limit` events or 1 MB. Token `f/120` goes on from byte 120 of the stream, `b/120` before it.

    At either end the answer has no events and the token that was given, as clients that poll expect.
    """
    group = named_group(call, asked)
    position, backward = None, not asked.get("startFromHead", False)
    if token := asked.get("nextToken"):
        position, backward = _read_token(token)
    events = call.context.logs.read(
        call.space,
        group,
        asked["logStreamName"],
        position=position,
        limit=asked.get("limit", 10_000),
        start=max(asked.get("startTime", 0), cutoff(settings_of(call, group), call.now)),
        end=asked.get("endTime"),
        backward=backward,
    )
    first = events[0].position if events else position or 0
    end = events[-1].end if events else position or 0
    return {
        "events": [shown(event) for event in events],
        "nextForwardToken": f"f/{end}",
        "nextBackwardToken": f"b/{first}",
    }


def shown(event: LogEvent) -> dict[str, Any]:
    """An event as CloudWatch gives it; it was taken in when it happened."""
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _read_token(token: str) -> tuple[int, bool]:
    direction, _, position = token.partition("/")
    if direction not in ("f", "b") or not (position.isascii() and position.isdigit()) or len(position) > 18:
        raise invalid(f"The nextToken '{token[:80]}' is not one that GetLogEvents gave; start again without it.")
    return int(position), direction == "b"
