"""FilterLogEvents and StartLiveTail: the events of several streams of a group, interleaved by time."""

import asyncio
import heapq
import uuid
from collections.abc import AsyncIterator, Iterator
from hashlib import blake2s
from typing import Any, NamedTuple

from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.logs.events import shown
from tobo.resources.logs.names import group_resource, identified_group, invalid, named_group, read_token, write_token
from tobo.resources.logs.patterns import Pattern, read_pattern
from tobo.resources.logs.settings import cutoff, settings_of
from tobo.telemetry.base import LogEvent, LogStream

_PAGE_BYTES = 1 << 20
_SEARCHED = 200_000
"""Events looked at for one page; a page may so be short, or empty, and still have a token."""
_READ_AHEAD = 64 << 10
"""Bytes of each stream that are read at a time."""
_TAIL_SECONDS = 1.0
_TAIL_SESSION = 3 * 3600
_TAIL_EVENTS = 500


class Place(NamedTuple):
    """An event's place in the order of a search."""

    timestamp: int
    stream: str
    position: int


@operation("logs", "FilterLogEvents", resource=group_resource)
def filter_log_events(call: Call, asked: Asked) -> dict[str, Any]:
    """Matching events by (time, stream, place in the stream); the token is the place of the last one looked at."""
    group = named_group(call, asked)
    if not asked.get("startFromHead", True):
        raise invalid("startFromHead=false is not built for FilterLogEvents; leave it out and read the last page.")
    pattern = read_pattern(asked.get("filterPattern", ""))
    start = max(asked.get("startTime", 0), cutoff(settings_of(call, group), call.now))
    after = None
    if token := asked.get("nextToken"):
        after = Place(*read_token(token, (int, str, int)))
        start = max(start, after.timestamp)
    streams = _asked_streams(call, group, asked)
    limit = asked.get("limit", 10_000)
    answer: dict[str, Any] = {"events": [], "searchedLogStreams": []}
    size = 0
    last = after
    containing = max(pattern.every, key=len, default="")
    found = _interleaved(call, group, streams, start, asked.get("endTime"), after, containing)
    for searched, (place, event) in enumerate(found):
        if len(answer["events"]) == limit or size >= _PAGE_BYTES or searched == _SEARCHED:
            assert last is not None
            answer["nextToken"] = write_token(*last)
            break
        last = place
        if pattern.matches(event.message):
            size += event.end - event.position
            answer["events"].append({"logStreamName": place.stream, **shown(event), "eventId": _event_id(place)})
    return answer


def _asked_streams(call: Call, group: str, asked: Asked) -> list[LogStream]:
    names, prefix = asked.get("logStreamNames"), asked.get("logStreamNamePrefix")
    if names and prefix:
        raise invalid("Give either logStreamNames or logStreamNamePrefix, and not both.")
    if not names:
        return call.context.logs.streams(call.space, group, prefix or "")
    return [
        stream
        for name in dict.fromkeys(names)
        for stream in call.context.logs.streams(call.space, group, name)
        if stream.name == name
    ]


def _interleaved(
    call: Call,
    group: str,
    streams: list[LogStream],
    start: int,
    end: int | None,
    after: Place | None,
    containing: str,
) -> Iterator[tuple[Place, LogEvent]]:
    """Events behind `after` with start <= timestamp < end that hold a text, in the order of their places."""

    def events_of(name: str) -> Iterator[tuple[Place, LogEvent]]:
        # Of one stream the place is where to go on: what is before it would only be searched again.
        position: int | None = after.position if after is not None and len(streams) == 1 else None
        while events := call.context.logs.read(
            call.space, group, name, position=position, start=start, end=end, size=_READ_AHEAD, containing=containing
        ):
            for event in events:
                place = Place(event.timestamp, name, event.position)
                if after is None or place > after:
                    yield place, event
            position = events[-1].end

    return heapq.merge(*(events_of(s.name) for s in streams if s.last is not None and s.last >= start))


def _event_id(place: Place) -> str:
    """56 digits, as CloudWatch has them: unique in the group, in the order of time."""
    stream = int.from_bytes(blake2s(place.stream.encode(), digest_size=7).digest()) % 10**17
    return f"{place.timestamp:020d}{stream:017d}{place.position:019d}"


@operation("logs", "StartLiveTail", resource=group_resource)
async def start_live_tail(call: Call, asked: Asked) -> dict[str, Any]:
    """Events that come in from now on, for at most three hours, once a second."""
    pattern = read_pattern(asked.get("logEventFilterPattern", ""))
    groups = [identified_group(call.space, identifier) for identifier in asked["logGroupIdentifiers"]]
    if len(groups) > 1 and (asked.get("logStreamNames") or asked.get("logStreamNamePrefixes")):
        raise invalid("logStreamNames and logStreamNamePrefixes can be given for one log group only.")
    ends = await asyncio.to_thread(lambda: {group: _ends(call, group, asked) for group in groups})
    return {"responseStream": _tail(call, asked, pattern, ends)}


async def _tail(
    call: Call, asked: Asked, pattern: Pattern, ends: dict[str, dict[str, int]]
) -> AsyncIterator[dict[str, Any]]:
    session = {name: asked[name] for name in _TAIL_MEMBERS if name in asked}
    yield {"sessionStart": {"requestId": call.request_id, "sessionId": str(uuid.uuid4()), **session}}
    for _ in range(int(_TAIL_SESSION / _TAIL_SECONDS)):
        await asyncio.sleep(_TAIL_SECONDS)
        fresh = await asyncio.to_thread(_fresh_events, call, asked, pattern, ends)
        yield {
            "sessionUpdate": {
                "sessionMetadata": {"sampled": len(fresh) > _TAIL_EVENTS},
                "sessionResults": fresh[:_TAIL_EVENTS],
            }
        }
    yield {"SessionTimeoutException": {"message": "The session has lasted three hours; start another one."}}


_TAIL_MEMBERS = ("logGroupIdentifiers", "logStreamNames", "logStreamNamePrefixes", "logEventFilterPattern")


def _ends(call: Call, group: str, asked: Asked) -> dict[str, int]:
    """The size of each stream that is tailed."""
    names, prefixes = asked.get("logStreamNames", ()), asked.get("logStreamNamePrefixes", ())
    return {
        stream.name: stream.size
        for stream in call.context.logs.streams(call.space, group)
        if (not names and not prefixes) or stream.name in names or stream.name.startswith(tuple(prefixes))
    }


def _fresh_events(call: Call, asked: Asked, pattern: Pattern, ends: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Matching events behind the known ends of the streams, by time; moves the ends."""
    fresh: list[dict[str, Any]] = []
    for group, known in ends.items():
        for name, size in _ends(call, group, asked).items():
            position = known.get(name, 0)
            if size <= position:
                continue
            events = call.context.logs.read(call.space, group, name, position=position)
            known[name] = events[-1].end if events else size
            fresh += [
                {"logGroupIdentifier": group, "logStreamName": name, **shown(event)}
                for event in events
                if pattern.matches(event.message)
            ]
    return sorted(fresh, key=lambda event: event["timestamp"])
