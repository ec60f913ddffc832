"""Messages to topics: lines of a file, written once where they must be, whole after a crash."""

import json
from pathlib import Path
from typing import Any

from tobo.operations.notifications import topic_file, write_down, write_down_once
from tobo.settings import Settings

TOPIC = "arn:aws:sns:us-east-1:111122223333:told"


def lines(settings: Settings) -> list[Any]:
    return [json.loads(line) for line in topic_file(settings, TOPIC).read_text().splitlines()]


def test_the_same_message_is_written_as_often_as_it_is_told_unless_it_shall_be_there_once(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    write_down(settings, TOPIC, {"a": 1})
    write_down(settings, TOPIC, {"a": 1})
    assert not write_down_once(settings, TOPIC, {"a": 1})
    assert write_down_once(settings, TOPIC, {"a": 2})
    assert not write_down_once(settings, TOPIC, {"a": 2})
    assert lines(settings) == [{"a": 1}, {"a": 1}, {"a": 2}]


def test_a_line_that_a_killed_server_has_torn_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    write_down(settings, TOPIC, {"a": 1})
    with topic_file(settings, TOPIC).open("a") as file:
        file.write('{"a":')
    assert write_down_once(settings, TOPIC, {"a": 2})
    told = topic_file(settings, TOPIC).read_text().splitlines()
    assert told == ['{"a":1}', '{"a":', '{"a":2}']
