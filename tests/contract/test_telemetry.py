"""The promises of telemetry/base.py, kept by every adapter: FileLogs and SqlMetrics."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.kit.log_lines import write_line
from tobo.telemetry.base import LogEvent, MetricName, Point, Total
from tobo.telemetry.files import FileLogs
from tobo.telemetry.series import SqlMetrics

HERE = Namespace("111122223333", "us-east-1")
ELSEWHERE = Namespace("111122223333", "eu-west-1")
GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def logs(tmp_path: Path) -> FileLogs:
    return FileLogs(tmp_path / "logs", SetClock(1_700_000_000.0))


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[SqlMetrics]:
    series = SqlMetrics(tmp_path / "metrics.db")
    yield series
    series.close()


def texts(events: list[LogEvent]) -> list[str]:
    return [event.message for event in events]


def filled(logs: FileLogs, events: list[tuple[int, str]], stream: str = "s") -> None:
    logs.create_group(HERE, GROUP)
    logs.create_stream(HERE, GROUP, stream)
    logs.append(HERE, GROUP, stream, events)


# Names


@pytest.mark.parametrize(
    "name",
    ["/aws/sagemaker/Endpoints/e", "..", ".", "a.b", "a%2Fb", "group", "x" * 512, "ü" * 500, "a b\nc", "x" * 180],
)
def test_any_name_is_kept_and_stays_inside_the_root(logs: FileLogs, tmp_path: Path, name: str) -> None:
    logs.create_group(HERE, name)
    logs.create_stream(HERE, name, name)
    file = logs.stream_file(HERE, name, name)
    assert file.resolve().is_relative_to(tmp_path / "logs" / HERE.account / HERE.region)
    assert [group.name for group in logs.groups(HERE)] == [name]
    assert [stream.name for stream in logs.streams(HERE, name)] == [name]
    assert [stream.name for stream in logs.streams(HERE, name, name[:190])] == [name]
    assert logs.streams(HERE, name, name + "!") == []


def test_long_names_with_the_same_beginning_are_told_apart(logs: FileLogs) -> None:
    logs.create_group(HERE, "g")
    names = sorted("n" * 400 + str(number) for number in range(3))
    for name in names:
        logs.create_stream(HERE, "g", name)
        logs.append(HERE, "g", name, [(1, name)])
    assert [stream.name for stream in logs.streams(HERE, "g", "n" * 399)] == names
    assert texts(logs.read(HERE, "g", names[1])) == [names[1]]


def test_groups_and_streams_are_listed_by_prefix_in_order_with_their_times(logs: FileLogs) -> None:
    for group in ("b", "a/2", "a/1"):
        logs.create_group(HERE, group)
    logs.create_stream(HERE, "b", "full")
    logs.create_stream(HERE, "b", "empty")
    logs.append(HERE, "b", "full", [(5, "x"), (9, "y")])
    assert [group.name for group in logs.groups(HERE)] == ["a/1", "a/2", "b"]
    assert [group.name for group in logs.groups(HERE, "a/")] == ["a/1", "a/2"]
    assert logs.groups(ELSEWHERE) == []
    empty, full = logs.streams(HERE, "b")
    assert (empty.name, empty.created, empty.first, empty.last, empty.size) == (
        "empty",
        1_700_000_000_000,
        None,
        None,
        0,
    )
    assert (full.name, full.first, full.last, full.size) == ("full", 5, 9, 8)
    assert logs.groups(HERE)[2].size == 8


def test_what_is_unknown_or_there_already_is_refused(logs: FileLogs) -> None:
    logs.create_group(HERE, "g")
    logs.create_stream(HERE, "g", "s")
    for code, deed in (
        ("ResourceAlreadyExistsException", lambda: logs.create_group(HERE, "g")),
        ("ResourceAlreadyExistsException", lambda: logs.create_stream(HERE, "g", "s")),
        ("ResourceNotFoundException", lambda: logs.create_stream(HERE, "h", "s")),
        ("ResourceNotFoundException", lambda: logs.streams(ELSEWHERE, "g")),
        ("ResourceNotFoundException", lambda: logs.read(HERE, "g", "t")),
        ("ResourceNotFoundException", lambda: logs.append(HERE, "g", "t", [])),
        ("ResourceNotFoundException", lambda: logs.delete_stream(HERE, "g", "t")),
        ("ResourceNotFoundException", lambda: logs.delete_group(HERE, "h")),
    ):
        with pytest.raises(Fault) as refused:
            deed()
        assert refused.value.code == code


def test_deleted_groups_and_streams_are_gone_and_can_be_made_anew(logs: FileLogs, tmp_path: Path) -> None:
    filled(logs, [(1, "old")])
    logs.delete_stream(HERE, GROUP, "s")
    assert logs.streams(HERE, GROUP) == []
    logs.create_stream(HERE, GROUP, "s")
    assert logs.read(HERE, GROUP, "s") == []
    logs.delete_group(HERE, GROUP)
    assert logs.groups(HERE) == []
    assert [path for path in (tmp_path / "logs").rglob("*") if path.is_file()] == []
    logs.create_group(HERE, GROUP)
    assert logs.streams(HERE, GROUP) == []


def test_streams_and_events_are_there_after_a_restart(logs: FileLogs, tmp_path: Path) -> None:
    filled(logs, [(1, "one")])
    again = FileLogs(tmp_path / "logs")
    assert texts(again.read(HERE, GROUP, "s")) == ["one"]
    assert again.streams(HERE, GROUP) == logs.streams(HERE, GROUP)


# Reading


@pytest.mark.parametrize("message", ["", "plain", "two\nlines\r\n", "tab\tback\\slash\\n", "grün ☃ 🙂", "x" * 300_000])
def test_a_message_comes_back_as_it_went(logs: FileLogs, message: str) -> None:
    filled(logs, [(1, "before"), (2, message), (3, "after")])
    assert texts(logs.read(HERE, GROUP, "s")) == ["before", message, "after"]
    assert texts(logs.read(HERE, GROUP, "s", backward=True)) == ["before", message, "after"]


@pytest.mark.parametrize("seed", range(4))
def test_every_way_of_reading_agrees_with_a_plain_list(logs: FileLogs, seed: int) -> None:
    dice = random.Random(seed)
    at = 0
    events = []
    for number in range(3000):
        at += dice.choice((0, 0, 1, 7, 500))
        events.append((at, f"{number} " + "m" * dice.choice((0, 20, 100, 3000 if number % 50 == 0 else 5))))
    filled(logs, events)
    whole = logs.read(HERE, GROUP, "s", size=1 << 30)
    assert [(event.timestamp, event.message) for event in whole] == events
    for _ in range(60):
        start = dice.choice((None, dice.randrange(at)))
        end = dice.choice((None, dice.randrange(at)))
        limit = dice.choice((1, 17, 5000))
        position = dice.choice((None, dice.choice(whole).position))
        inside = [
            event
            for event in whole
            if (start is None or event.timestamp >= start) and (end is None or event.timestamp < end)
        ]
        after = [event for event in inside if position is None or event.position >= position]
        before = [event for event in inside if position is None or event.position < position]
        asked = {"start": start, "end": end, "limit": limit, "position": position, "size": 1 << 30}
        assert logs.read(HERE, GROUP, "s", **asked) == after[:limit]
        assert logs.read(HERE, GROUP, "s", **asked, backward=True) == before[-limit:]


def test_a_read_has_no_more_bytes_than_asked_for_but_one_event_at_least(logs: FileLogs) -> None:
    filled(logs, [(at, "m" * 96) for at in range(10, 20)])  # 100 bytes a line
    assert len(logs.read(HERE, GROUP, "s", size=350)) == 3
    assert len(logs.read(HERE, GROUP, "s", size=10)) == 1
    assert [event.timestamp for event in logs.read(HERE, GROUP, "s", size=350, backward=True)] == [17, 18, 19]


def test_a_position_behind_the_end_or_within_a_line_is_no_error(logs: FileLogs) -> None:
    filled(logs, [(1, "one"), (2, "two")])
    assert logs.read(HERE, GROUP, "s", position=10_000) == []
    assert texts(logs.read(HERE, GROUP, "s", position=10_000, backward=True)) == ["one", "two"]
    assert texts(logs.read(HERE, GROUP, "s", position=2)) == ["two"]


def test_reading_late_in_a_long_stream_reads_few_bytes(logs: FileLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(logs, [(at, "m" * 90) for at in range(60_000)])
    read = 0
    pread = os.pread

    def counted(file: int, size: int, offset: int) -> bytes:
        nonlocal read
        data = pread(file, size, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", counted)
    assert [event.timestamp for event in logs.read(HERE, GROUP, "s", start=55_000, end=55_003)] == [
        55_000,
        55_001,
        55_002,
    ]
    assert logs.streams(HERE, GROUP)[0].last == 59_999
    assert read < 60_000 * 95 / 2


# Writing


def test_late_events_find_their_place_behind_those_of_the_same_time(logs: FileLogs) -> None:
    filled(logs, [(10, "a"), (20, "b"), (20, "c"), (30, "d")])
    logs.append(HERE, GROUP, "s", [(25, "g"), (20, "e"), (5, "f"), (40, "h")])
    assert [(event.timestamp, event.message) for event in logs.read(HERE, GROUP, "s")] == [
        (5, "f"),
        (10, "a"),
        (20, "b"),
        (20, "c"),
        (20, "e"),
        (25, "g"),
        (30, "d"),
        (40, "h"),
    ]


def test_a_torn_last_line_is_shown_when_it_is_whole(logs: FileLogs) -> None:
    file = logs.stream_file(HERE, GROUP, "s")
    with file.open("ab", buffering=0) as writer:
        writer.write(write_line(1, "whole") + b"2\tto")
        assert texts(logs.read(HERE, GROUP, "s")) == ["whole"]
        assert logs.streams(HERE, GROUP)[0].last == 1
        writer.write(b"rn\n")
        assert texts(logs.read(HERE, GROUP, "s")) == ["whole", "torn"]


@pytest.mark.parametrize("garbage", [b"garbage\n", b"\n", b"\x00\xff\xfe\n", b"12", b"x" * 10_000])
def test_what_a_killed_writer_left_hides_no_later_event(logs: FileLogs, garbage: bytes) -> None:
    file = logs.stream_file(HERE, GROUP, "s")
    file.write_bytes(write_line(1, "before") + garbage)
    logs.append(HERE, GROUP, "s", [(9, "after")])
    assert texts(logs.read(HERE, GROUP, "s")) == ["before", "after"]
    assert logs.streams(HERE, GROUP)[0].last == 9


def test_a_process_appends_while_the_stream_is_read_and_written(logs: FileLogs) -> None:
    """The file is never exchanged under a process: what it prints after our late events is still seen."""
    file = logs.stream_file(HERE, GROUP, "s")
    program = (
        "import sys\n"
        "from tobo.kit.log_lines import write_line\n"
        "out = open(sys.argv[1], 'ab', buffering=0)\n"
        "for number in range(2000):\n"
        "    out.write(write_line(1_000_000 + number, f'line {number}'))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(file)]) as process:
        position = 0
        seen: list[str] = []
        over = False
        while not over:
            over = process.poll() is not None
            events = logs.read(HERE, GROUP, "s", position=position)
            seen += texts(events)
            position = events[-1].end if events else position
            if len(seen) == len(set(seen)) and events:
                logs.append(HERE, GROUP, "s", [(1, f"house {len(seen)}")])
        while events := logs.read(HERE, GROUP, "s", position=position):
            seen += texts(events)
            position = events[-1].end
    assert process.returncode == 0
    assert [text for text in seen if text.startswith("line")] == [f"line {number}" for number in range(2000)]
    assert any(text.startswith("house") for text in seen)
    times = [event.timestamp for event in logs.read(HERE, GROUP, "s")]
    assert min(times) >= 1_000_000


def test_writers_in_several_threads_lose_nothing(logs: FileLogs) -> None:
    filled(logs, [])

    def write(thread: int) -> None:
        for number in range(50):
            logs.append(HERE, GROUP, "s", [(number, f"{thread}-{number}")])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = logs.read(HERE, GROUP, "s")
    assert sorted(texts(events)) == sorted(f"{thread}-{number}" for thread in range(4) for number in range(50))
    assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)


# Metrics

ACCURACY = MetricName("/aws/sagemaker/TrainingJobs", "validation:accuracy", {"TrainingJobName": "marbles"})


def point(at: float, value: float, series: MetricName = ACCURACY, **more: object) -> Point:
    return Point(series.namespace, series.name, series.dimensions, at, value, **more)  # type: ignore[arg-type]


def test_points_are_gathered_by_period_and_unit(metrics: SqlMetrics) -> None:
    metrics.put(HERE, [point(60, 1), point(119.9, 3), point(120, 10), point(120, 10), point(299, 7, unit="Percent")])
    metrics.put(HERE, [point(130, 9, count=3, minimum=2, maximum=4)])
    found = metrics.statistics(HERE, ACCURACY, 60, 300, 60)
    assert [(b.at, b.count, b.sum, b.minimum, b.maximum, b.unit) for b in found] == [
        (60, 2, 4, 1, 3, "None"),
        (120, 5, 29, 2, 10, "None"),
        (240, 1, 7, 7, 7, "Percent"),
    ]
    assert [b.at for b in metrics.statistics(HERE, ACCURACY, 100, 299, 60)] == [60, 120]
    assert [b.at for b in metrics.statistics(HERE, ACCURACY, 0, 300, 60, "Percent")] == [240]
    assert [(b.at, b.count) for b in metrics.statistics(HERE, ACCURACY, 0, 300, 300)] == [(0, 7), (0, 1)]


def test_series_do_not_mix(metrics: SqlMetrics) -> None:
    other = ACCURACY._replace(dimensions={"TrainingJobName": "other"})
    metrics.put(HERE, [point(1, 1), point(1, 2, other), point(1, 3, ACCURACY._replace(name="loss"))])
    metrics.put(ELSEWHERE, [point(1, 4)])
    assert [b.sum for b in metrics.statistics(HERE, ACCURACY, 0, 60, 60)] == [1]
    assert [b.sum for b in metrics.statistics(ELSEWHERE, ACCURACY, 0, 60, 60)] == [4]
    assert metrics.statistics(HERE, ACCURACY._replace(dimensions={}), 0, 60, 60) == []


def test_observations_come_in_time_order_without_unequal_sets(metrics: SqlMetrics) -> None:
    metrics.put(
        HERE, [point(9, 2), point(5, 12, count=3, minimum=4, maximum=4), point(7, 9, count=2, minimum=1, maximum=8)]
    )
    assert metrics.values(HERE, ACCURACY, 0, 60) == [(5, 4, 3), (9, 2, 1)]
    assert metrics.values(HERE, ACCURACY, 0, 9) == [(5, 4, 3)]


def test_names_are_found_by_what_is_asked(metrics: SqlMetrics) -> None:
    two = MetricName("ns", "loss", {"Host": "algo-1", "Job": "a"})
    one = MetricName("ns", "loss", {"Job": "a"})
    metrics.put(HERE, [point(100, 1, two), point(200, 1, one), point(300, 1)])
    assert metrics.names(HERE) == [ACCURACY, two, one]
    assert metrics.names(HERE, namespace="ns") == [two, one]
    assert metrics.names(HERE, name="validation:accuracy") == [ACCURACY]
    assert metrics.names(HERE, dimensions={"Job": "a"}) == [two, one]
    assert metrics.names(HERE, dimensions={"Job": "b"}) == []
    assert metrics.names(HERE, dimensions={"Host": None}) == [two]
    assert metrics.names(HERE, since=200) == [ACCURACY, one]
    assert metrics.names(ELSEWHERE) == []


def test_the_last_point_is_the_youngest_and_of_one_instant_the_latest_put(metrics: SqlMetrics) -> None:
    assert metrics.last(HERE, ACCURACY) is None
    metrics.put(HERE, [point(20, 0.5), point(20, 0.25, unit="Percent"), point(10, 0.75)])
    last = metrics.last(HERE, ACCURACY)
    assert last is not None
    assert (last.at, last.value, last.unit, dict(last.dimensions)) == (
        20,
        0.25,
        "Percent",
        {"TrainingJobName": "marbles"},
    )


def test_what_is_put_once_counts_once(metrics: SqlMetrics) -> None:
    other = MetricName("n", "m", {})
    metrics.put(HERE, [point(10, 1)])
    for _ in range(2):
        metrics.put(HERE, [point(10, 5), point(11, 2), point(11, 3), point(10, 7, other)], once=True)
    assert [(one.at, one.value) for one in metrics.values(HERE, ACCURACY, 0, 100)] == [(10, 1), (11, 2)]
    assert [one.value for one in metrics.values(HERE, other, 0, 100)] == [7]


def test_points_are_there_after_the_process_was_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tobo.kit.arn import Namespace\n"
        "from tobo.telemetry.base import Point\n"
        "from tobo.telemetry.series import SqlMetrics\n"
        "metrics = SqlMetrics(Path(sys.argv[1]))\n"
        "metrics.put(Namespace('1', 'r'), [Point('n', 'm', {}, 1.0, 0.5)])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "m.db")], check=False)
    assert killed.returncode == -9
    metrics = SqlMetrics(tmp_path / "m.db")
    assert metrics.last(Namespace("1", "r"), MetricName("n", "m", {})) == Point(
        "n", "m", {}, 1.0, 0.5, minimum=0.5, maximum=0.5
    )
    metrics.close()


def test_a_put_is_whole_or_not_at_all(metrics: SqlMetrics) -> None:
    with pytest.raises(Exception):  # noqa: B017
        metrics.put(HERE, [point(1, 1), point(2, None)])  # type: ignore[arg-type]
    assert metrics.names(HERE) == []
    metrics.put(HERE, [point(3, 1)])
    assert [b.count for b in metrics.statistics(HERE, ACCURACY, 0, 60, 60)] == [1]


def test_points_that_are_rolled_up_keep_their_statistics(metrics: SqlMetrics) -> None:
    generator = random.Random(1)
    values = [generator.uniform(-5, 5) for _ in range(600)]
    metrics.put(HERE, [point(index, value) for index, value in enumerate(values)])
    metrics.put(ELSEWHERE, [point(30, 1), point(30, 2, unit="Percent"), point(31, 5, count=2, minimum=2, maximum=3)])
    before = [metrics.statistics(HERE, ACCURACY, 0, 600, period) for period in (60, 120, 300)]
    metrics.roll_up(310, 60)
    assert len(metrics.values(HERE, ACCURACY, 0, 300)) == 0 and len(metrics.values(HERE, ACCURACY, 300, 600)) == 300
    for _ in range(2):  # once more changes nothing more
        metrics.roll_up(310, 60)
        after = [metrics.statistics(HERE, ACCURACY, 0, 600, period) for period in (60, 120, 300)]
        for one, other in zip(before, after, strict=True):
            assert [replace(bucket, sum=0) for bucket in one] == [replace(bucket, sum=0) for bucket in other]
            assert [bucket.sum for bucket in one] == pytest.approx([bucket.sum for bucket in other])
    found = metrics.statistics(ELSEWHERE, ACCURACY, 0, 60, 60)
    assert [(b.count, b.sum, b.minimum, b.maximum, b.unit) for b in found] == [
        (3, 6, 1, 3, "None"),
        (1, 2, 2, 2, "Percent"),
    ]
    metrics.roll_up(600, 300)
    assert [bucket.count for bucket in metrics.statistics(HERE, ACCURACY, 0, 600, 60)] == [300, 300]
    assert metrics.statistics(HERE, ACCURACY, 0, 600, 300)[0].sum == pytest.approx(sum(values[:300]))


def test_what_is_alone_in_its_period_or_spared_is_not_rolled_up(metrics: SqlMetrics) -> None:
    spared = ACCURACY._replace(namespace="curves")
    metrics.put(HERE, [point(7, 0.5), point(70, 4, count=2, minimum=2, maximum=2), point(71, 2)])
    metrics.put(HERE, [point(at, at, spared) for at in range(5)])
    metrics.roll_up(120, 60, spared=("curves",))
    assert metrics.values(HERE, ACCURACY, 0, 120) == [(7, 0.5, 1), (60, 2, 3)]  # equal observations stay observations
    assert len(metrics.values(HERE, spared, 0, 120)) == 5
    late = point(8, 0.25)  # put when its time was rolled up already
    metrics.put(HERE, [late])
    assert [bucket.sum for bucket in metrics.statistics(HERE, ACCURACY, 0, 60, 60)] == [0.75]


def test_old_points_are_forgotten_and_series_without_points(metrics: SqlMetrics) -> None:
    spared = ACCURACY._replace(namespace="curves")
    other = ACCURACY._replace(name="loss")
    metrics.put(HERE, [point(1, 1), point(99, 1, other), point(100, 2, other), point(1, 1, spared)])
    metrics.forget(100, spared=("curves",))
    assert metrics.names(HERE) == [other, spared]
    assert [bucket.at for bucket in metrics.statistics(HERE, other, 0, 200, 1)] == [100]
    metrics.put(HERE, [point(101, 3)])
    assert metrics.statistics(HERE, ACCURACY, 0, 200, 1)[0].sum == 3
    assert metrics.names(HERE) == [other, ACCURACY, spared]


def test_a_process_killed_while_it_rolls_up_loses_nothing(tmp_path: Path) -> None:
    file, series = tmp_path / "m.db", [ACCURACY._replace(name=f"m{number}") for number in range(200)]
    metrics = SqlMetrics(file)
    metrics.put(HERE, [point(at / 10, 1, one) for one in series for at in range(600)])
    metrics.close()
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tobo.telemetry.series import SqlMetrics\n"
        "metrics = SqlMetrics(Path(sys.argv[1]))\n"
        "print('begun', flush=True)\n"
        "metrics.roll_up(60, 60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        process.kill()
    metrics = SqlMetrics(file)
    counts = [[bucket.count for bucket in metrics.statistics(HERE, one, 0, 60, 60)] for one in series]
    metrics.close()
    assert counts == [[600]] * 200


def test_totals_are_of_what_was_put_and_kept_since_the_opening(metrics: SqlMetrics) -> None:
    space = Namespace("111122223333", "eu-central-1")
    first, second = Point("ours", "n", {"d": "x"}, 1.0, 3.0), Point("ours", "n", {"d": "x"}, 2.0, 4.0, "None", 2)
    metrics.put(space, [first, Point("others", "n", {}, 1.0, 9.0)])
    for _ in range(2):
        metrics.put(space, [first, second], once=True)
    assert metrics.totals(("ours",)) == [Total(space, MetricName("ours", "n", {"d": "x"}), 7.0, 3.0, 4.0)]


@pytest.mark.parametrize("block", [16, 100, 4 << 20])
def test_what_holds_a_text_is_what_one_would_find_by_reading_all(
    logs: FileLogs, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Lines longer than what is read at a time, texts in the timestamp alone, escapes, torn ends."""
    monkeypatch.setattr("tobo.telemetry.streams._SEARCH", block)
    drawn = random.Random(7)
    words = ["ab", "b\n", "\\n", "ü", "", "1700", "x" * 150]
    events = [(1700 + at // 3, " ".join(drawn.choices(words, k=drawn.randint(0, 6)))) for at in range(300)]
    filled(logs, events)
    with logs.stream_file(HERE, GROUP, "s").open("ab") as torn:
        torn.write(b"1900\tab without an end")
    for text in ("ab", "b\n", "\\n", "ü", "1700", "ab ab", "x" * 149, "none"):
        for start, end in ((None, None), (1710, 1750)):
            every = logs.read(HERE, GROUP, "s", start=start, end=end)
            expected = [event for event in every if text in event.message]
            assert logs.read(HERE, GROUP, "s", start=start, end=end, containing=text) == expected
            if expected:
                after = logs.read(HERE, GROUP, "s", expected[0].end, limit=2, end=end, containing=text)
                assert after == expected[1:3]
