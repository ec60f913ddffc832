"""CloudWatch Logs: what clients of groups, streams and events rely on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.kit.states import states_of
from tobo.operations.context import Context
from tobo.operations.machine import MACHINES, Again, Done
from tobo.resources.logs.patterns import read_pattern
from tobo.resources.logs.settings import KIND
from tobo.store.base import Key

Ask = Callable[..., Any]
NOW = 1_700_000_000_000
SPACE = Namespace("111122223333", "us-east-1")
GROUP = "/aws/sagemaker/TrainingJobs"
ARN = f"arn:aws:logs:us-east-1:111122223333:log-group:{GROUP}"
DAY = 86_400_000


def events(*pairs: tuple[int, str]) -> list[dict[str, Any]]:
    """Events so many milliseconds from now."""
    return [{"timestamp": NOW + at, "message": message} for at, message in pairs]


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def fill(ask: Ask, stream: str, *pairs: tuple[int, str], group: str = GROUP) -> None:
    for name, asked in (("CreateLogGroup", {}), ("CreateLogStream", {"logStreamName": stream})):
        try:
            ask(name, logGroupName=group, **asked)
        except Fault as fault:
            assert fault.code == "ResourceAlreadyExistsException"
    if pairs:
        ask("PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events(*pairs))


# Groups


def test_groups_are_described_by_prefix_pattern_identifier_and_page(ask: Ask) -> None:
    for group in ("b/Two", "a/1", "a/2", "a/3"):
        ask("CreateLogGroup", logGroupName=group)

    def found(**asked: Any) -> list[str]:
        return [group["logGroupName"] for group in ask("DescribeLogGroups", **asked)["logGroups"]]

    assert found() == ["a/1", "a/2", "a/3", "b/Two"]
    assert found(logGroupNamePrefix="a/") == ["a/1", "a/2", "a/3"]
    assert found(logGroupNamePattern="Tw") == ["b/Two"]
    assert found(logGroupNamePattern="tw") == []
    assert found(logGroupIdentifiers=["a/1", "arn:aws:logs:us-east-1:111122223333:log-group:b/Two"]) == [
        "a/1",
        "b/Two",
    ]
    first = ask("DescribeLogGroups", limit=2)
    assert [group["logGroupName"] for group in first["logGroups"]] == ["a/1", "a/2"]
    second = ask("DescribeLogGroups", limit=2, nextToken=first["nextToken"])
    assert [group["logGroupName"] for group in second["logGroups"]] == ["a/3", "b/Two"]
    assert "nextToken" not in second


def test_a_described_group_has_both_arns_and_what_was_asked_for(ask: Ask) -> None:
    ask("CreateLogGroup", logGroupName=GROUP, kmsKeyId="key", tags={"team": "marbles"})
    ask("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=7)
    fill(ask, "s", (0, "four"))
    assert ask("DescribeLogGroups")["logGroups"] == [
        {
            "logGroupName": GROUP,
            "creationTime": NOW,
            "metricFilterCount": 0,
            "arn": f"{ARN}:*",
            "logGroupArn": ARN,
            "storedBytes": 19,
            "logGroupClass": "STANDARD",
            "kmsKeyId": "key",
            "retentionInDays": 7,
        }
    ]
    assert ask("ListTagsForResource", resourceArn=ARN) == {"tags": {"team": "marbles"}}


def test_tags_are_added_and_removed(ask: Ask) -> None:
    ask("CreateLogGroup", logGroupName=GROUP)
    assert ask("ListTagsForResource", resourceArn=ARN) == {"tags": {}}
    ask("TagResource", resourceArn=ARN, tags={"a": "1", "b": "2"})
    ask("TagResource", resourceArn=ARN, tags={"b": "3"})
    ask("UntagResource", resourceArn=ARN, tagKeys=["a"])
    assert ask("ListTagsForResource", resourceArn=ARN) == {"tags": {"b": "3"}}


def test_a_deleted_group_leaves_nothing_to_one_made_anew(ask: Ask) -> None:
    ask("CreateLogGroup", logGroupName=GROUP, tags={"a": "1"})
    ask("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    fill(ask, "s", (0, "old"))
    ask("DeleteLogGroup", logGroupName=GROUP)
    ask("CreateLogGroup", logGroupName=GROUP)
    assert ask("DescribeLogStreams", logGroupName=GROUP) == {"logStreams": []}
    assert "retentionInDays" not in ask("DescribeLogGroups")["logGroups"][0]
    assert ask("ListTagsForResource", resourceArn=ARN) == {"tags": {}}


# Streams


def test_streams_are_described_in_every_order_and_page_by_page(ask: Ask) -> None:
    fill(ask, "a", (-5, "x"))
    fill(ask, "b", (-9, "x"), (-1, "y"))
    fill(ask, "c")

    def pages(**asked: Any) -> list[str]:
        names: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = ask("DescribeLogStreams", logGroupName=GROUP, limit=1, **asked, **token)
            names += [stream["logStreamName"] for stream in answer["logStreams"]]
            if "nextToken" not in answer:
                return names
            token = {"nextToken": answer["nextToken"]}

    assert pages() == ["a", "b", "c"]
    assert pages(descending=True) == ["c", "b", "a"]
    assert pages(orderBy="LastEventTime") == ["c", "a", "b"]
    assert pages(orderBy="LastEventTime", descending=True) == ["b", "a", "c"]
    assert pages(logStreamNamePrefix="b") == ["b"]


def test_a_described_stream_has_its_times_and_arn(ask: Ask) -> None:
    fill(ask, "job/algo-1", (-9, "x"), (-1, "y"))
    fill(ask, "empty")
    empty, full = ask("DescribeLogStreams", logGroupIdentifier=ARN)["logStreams"]
    assert full["arn"] == f"{ARN}:log-stream:job/algo-1"
    assert (full["firstEventTimestamp"], full["lastEventTimestamp"], full["storedBytes"]) == (NOW - 9, NOW - 1, 32)
    assert full["creationTime"] == NOW
    assert "firstEventTimestamp" not in empty


# Events


def test_events_are_put_late_and_read_in_time_order(ask: Ask) -> None:
    fill(ask, "s", (-10, "b"), (-5, "d"))
    fill(ask, "s", (-20, "a"), (-6, "c"))
    answer = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", startFromHead=True)
    assert messages(answer) == ["a", "b", "c", "d"]
    assert answer["events"][0] == {"timestamp": NOW - 20, "message": "a", "ingestionTime": NOW - 20}


def test_too_old_and_too_new_events_are_left_out_and_told(ask: Ask) -> None:
    fill(ask, "s")
    ask("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=3)
    hours = 3_600_000
    answer = ask(
        "PutLogEvents",
        logGroupName=GROUP,
        logStreamName="s",
        logEvents=events(
            (-15 * DAY, "old"), (-4 * DAY, "expired"), (-1, "good"), (hours, "soon"), (3 * hours, "ahead")
        ),
    )
    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 1,
        "expiredLogEventEndIndex": 2,
        "tooNewLogEventStartIndex": 4,
    }
    read = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s")
    assert messages(read) == ["good", "soon"]
    assert "rejectedLogEventsInfo" not in ask(
        "PutLogEvents", logGroupName=GROUP, logStreamName="s", logEvents=events((0, "x")), sequenceToken="any"
    )


def test_pages_forward_end_in_the_same_token_and_go_on_when_more_comes(ask: Ask) -> None:
    fill(ask, "s", *((number, str(number)) for number in range(5)))
    seen: list[str] = []
    asked: dict[str, Any] = {"startFromHead": True}
    while True:
        answer = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", limit=2, **asked)
        seen += messages(answer)
        if answer["nextForwardToken"] == asked.get("nextToken"):
            break
        asked["nextToken"] = answer["nextForwardToken"]
    assert seen == ["0", "1", "2", "3", "4"]
    assert answer["events"] == []
    fill(ask, "s", (9, "9"))
    assert messages(ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", **asked)) == ["9"]


def test_pages_backward_begin_at_the_tail_and_end_in_the_same_token(ask: Ask) -> None:
    fill(ask, "s", *((number, str(number)) for number in range(5)))
    answer = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", limit=2)
    assert messages(answer) == ["3", "4"]
    forward = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", nextToken=answer["nextForwardToken"])
    assert (forward["events"], forward["nextForwardToken"]) == ([], answer["nextForwardToken"])
    pages = []
    while True:
        token = answer["nextBackwardToken"]
        answer = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", limit=2, nextToken=token)
        pages.append(messages(answer))
        if answer["nextBackwardToken"] == token:
            break
    assert pages == [["1", "2"], ["0"], []]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["0", "1", "2", "3"]),
        ({"startTime": NOW + 1}, ["1", "2", "3"]),
        ({"endTime": NOW + 2}, ["0", "1"]),
        ({"startTime": NOW + 1, "endTime": NOW + 3}, ["1", "2"]),
        ({"startTime": NOW + 1, "endTime": NOW + 1}, []),
        ({"startTime": NOW + 9}, []),
        ({"startTime": NOW + 1, "limit": 1}, ["3"]),
        ({"startTime": NOW + 1, "limit": 1, "startFromHead": True}, ["1"]),
    ],
)
def test_the_start_is_inclusive_and_the_end_exclusive(ask: Ask, asked: dict[str, Any], found: list[str]) -> None:
    fill(ask, "s", *((number, str(number)) for number in range(4)))
    answer = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", **asked)
    assert messages(answer) == found
    assert answer["nextForwardToken"].startswith("f/")
    assert answer["nextBackwardToken"].startswith("b/")


def test_a_page_has_at_most_a_megabyte(ask: Ask) -> None:
    for number in range(3):
        fill(ask, "s", (number, str(number) * 600_000))
    answer = ask("GetLogEvents", logGroupName=GROUP, logStreamName="s", startFromHead=True)
    assert [message[0] for message in messages(answer)] == ["0"]


# Filter


def test_streams_are_interleaved_by_time(ask: Ask) -> None:
    fill(ask, "a", (1, "a1"), (4, "a4"))
    fill(ask, "b", (2, "b2"), (4, "b4"))
    fill(ask, "c", (3, "c3"))
    answer = ask("FilterLogEvents", logGroupName=GROUP)
    assert messages(answer) == ["a1", "b2", "c3", "a4", "b4"]
    assert "nextToken" not in answer
    assert [event["logStreamName"] for event in answer["events"]] == ["a", "b", "c", "a", "b"]
    ids = [event["eventId"] for event in answer["events"]]
    assert len(set(ids)) == 5
    assert all(len(number) == 56 and number.isdigit() for number in ids)
    assert messages(ask("FilterLogEvents", logGroupName=GROUP, logStreamNames=["c", "b"])) == ["b2", "c3", "b4"]
    assert messages(ask("FilterLogEvents", logGroupName=GROUP, logStreamNamePrefix="a")) == ["a1", "a4"]
    assert messages(ask("FilterLogEvents", logGroupName=GROUP, startTime=NOW + 2, endTime=NOW + 4)) == ["b2", "c3"]


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_filtered_pages_show_every_match_once(ask: Ask, limit: int) -> None:
    for stream in ("a", "b"):
        fill(
            ask, stream, *((number // 3, f"{stream}{number} {'odd' if number % 2 else 'even'}") for number in range(20))
        )
    whole = messages(ask("FilterLogEvents", logGroupName=GROUP, filterPattern="odd"))
    assert len(whole) == 20
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = ask("FilterLogEvents", logGroupName=GROUP, filterPattern="odd", limit=limit, **token)
        seen += messages(answer)
        assert len(answer["events"]) <= limit
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert seen == whole


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "error", False),
        ("ERROR 400", "400 ERROR", True),
        ("ERROR 400", "ERROR 419", False),
        ('"BAD REQUEST"', "400 BAD REQUEST", True),
        ('"BAD REQUEST"', "BAD 400 REQUEST", False),
        ('"say \\"hi\\""', 'they say "hi"', True),
        ("?ERROR ?WARN", "WARN 1", True),
        ("?ERROR ?WARN", "INFO 1", False),
        ("ERROR -timeout", "ERROR disk", True),
        ("ERROR -timeout", "ERROR timeout", False),
        ('-"time out"', "ERROR time out", False),
        ("-INFO", "ERROR", True),
        ("Train-accuracy=", "Epoch[1] Train-accuracy=0.5", True),
    ],
)
def test_filter_patterns(pattern: str, message: str, matches: bool) -> None:
    assert read_pattern(pattern).matches(message) is matches


# Retention


def test_expired_events_are_hidden_at_once_and_their_room_is_given_back(ask: Ask, context: Context) -> None:
    clock = cast(SetClock, context.clock)
    fill(ask, "old", (-3 * DAY, "old"))
    fill(ask, "both", (-2 * DAY, "old"))
    fill(ask, "both", (0, "new"))
    ask("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    assert messages(ask("FilterLogEvents", logGroupName=GROUP)) == ["new"]
    assert messages(ask("GetLogEvents", logGroupName=GROUP, logStreamName="old")) == []
    row = context.store.get(Key(SPACE, KIND, GROUP))
    assert row is not None
    assert (row.todo, row.due) == (("expire",), clock.now())
    assert isinstance(MACHINES[KIND].by_name["expire"](context, row), Again)
    assert {stream.name: stream.size > 0 for stream in context.logs.streams(SPACE, GROUP)} == {
        "both": True,
        "old": False,
    }
    ask("DeleteRetentionPolicy", logGroupName=GROUP)
    row = context.store.get(Key(SPACE, KIND, GROUP))
    assert row is not None
    assert (row.todo, row.due) == ((), None)
    assert messages(ask("GetLogEvents", logGroupName=GROUP, logStreamName="both")) == ["old", "new"]


def test_expiry_of_a_deleted_group_ends(ask: Ask, context: Context) -> None:
    ask("CreateLogGroup", logGroupName=GROUP)
    ask("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    row = context.store.get(Key(SPACE, KIND, GROUP))
    assert row is not None
    ask("DeleteLogGroup", logGroupName=GROUP)
    assert MACHINES[KIND].by_name["expire"](context, row) == Done()


def test_the_table_has_a_status_for_every_state() -> None:
    assert states_of(MACHINES[KIND].table) == MACHINES[KIND].statuses.keys()


# Tail


def test_a_live_tail_shows_what_comes_in(ask: Ask) -> None:
    fill(ask, "s", (-1, "before"))

    async def first_updates() -> list[dict[str, Any]]:
        answer = await ask("StartLiveTail", logGroupIdentifiers=[ARN], logEventFilterPattern="-noise")
        stream: AsyncIterator[dict[str, Any]] = answer["responseStream"]
        seen = [await anext(stream)]
        await asyncio.to_thread(fill, ask, "s", (1, "one"), (2, "noise"))
        await asyncio.to_thread(fill, ask, "new", (0, "zero"))
        seen.append(await anext(stream))
        await stream.aclose()  # type: ignore[attr-defined]
        return seen

    start, update = asyncio.run(first_updates())
    assert start["sessionStart"]["logGroupIdentifiers"] == [ARN]
    shown = [(event["logStreamName"], event["message"]) for event in update["sessionUpdate"]["sessionResults"]]
    assert shown == [("new", "zero"), ("s", "one")]
