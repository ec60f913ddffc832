"""Logs: lines of a stream for the page that follows it, and the whole stream as a file."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit

LINES = 1000
"""Of one answer."""

MATCHES = 500
PIECE = 10_000


@shown("/logs/lines")
def _lines(visit: Visit) -> Response:
    """?group=&stream=[&token=]: {"lines": [[ms, text], ...], "forward", "backward"}; without a token the newest."""
    asked: dict[str, Any] = {**_stream(visit), "limit": LINES, "startFromHead": False}
    if token := visit.query.get("token"):
        asked["nextToken"] = token
    found = visit.quietly("logs", "GetLogEvents", **asked)
    return JSONResponse(
        {
            "lines": [[one["timestamp"], one["message"]] for one in found["events"]],
            "forward": found["nextForwardToken"],
            "backward": found["nextBackwardToken"],
        }
    )


@shown("/logs/newest")
def _newest(visit: Visit) -> Response:
    """Where the stream ends: another answer, and there are more lines."""
    found = visit.quietly("logs", "GetLogEvents", **_stream(visit), limit=1, startFromHead=False)
    return JSONResponse({"forward": found["nextForwardToken"]})


@shown("/logs/matches")
def _matches(visit: Visit) -> Response:
    """?pattern=[&after=]: {"hits": [[position, ms, text], ...], "more"}: the next hits of the stream that FilterLogEvents
    finds, at most 500; `more` is what to ask the others `after`, null where there are none. A line's page begins at its
    token `f/<position>`."""
    place = _stream(visit)
    asked: dict[str, Any] = {
        "logGroupName": place["logGroupName"],
        "logStreamNames": [place["logStreamName"]],
        "filterPattern": _pattern(visit.query.get("pattern", "")),
        "limit": MATCHES,
    }
    hits: list[list[Any]] = []
    token = visit.query.get("after") or None
    for _ in range(200):  # a page may be empty and yet not the last
        found = visit.quietly("logs", "FilterLogEvents", **asked, **({"nextToken": token} if token else {}))
        # The last 19 digits of an eventId are where the line begins.
        hits += [[int(one["eventId"][-19:]), one["timestamp"], one["message"]] for one in found["events"]]
        token = found.get("nextToken")
        if token is None or hits:
            break
    return JSONResponse({"hits": hits, "more": token})


@shown("/logs/download")
def _download(visit: Visit) -> Response:
    """The stream as text, read while it is sent."""
    place = _stream(visit)
    visit.quietly("logs", "GetLogEvents", **place, limit=1)  # its refusal comes as a page, not in the middle of a file
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in place["logStreamName"])
    headers = {"Content-Disposition": f'attachment; filename="{name}.log"'}
    return StreamingResponse(_text(visit, place), media_type="text/plain; charset=utf-8", headers=headers)


def _text(visit: Visit, place: dict[str, str]) -> Iterator[str]:
    token = None
    while True:
        more: dict[str, Any] = {"nextToken": token} if token else {}
        found = visit.quietly("logs", "GetLogEvents", **place, limit=PIECE, startFromHead=True, **more)
        yield "".join(f"{one['message']}\n" for one in found["events"])
        if not found["events"] or found["nextForwardToken"] == token:
            return
        token = found["nextForwardToken"]


def _stream(visit: Visit) -> dict[str, str]:
    return {"logGroupName": visit.query.get("group", ""), "logStreamName": visit.query.get("stream", "")}


def _pattern(words: str) -> str:
    """Words as one literal term (CloudWatch Logs, filter pattern syntax), so that brackets and braces are only text."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if words else ""


SCREENS: tuple[Screen, ...] = (_lines, _newest, _matches, _download)
