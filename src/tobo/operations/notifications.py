"""Notifications of the house to SNS topics: published, written down for each topic, and posted to a webhook.

A message to the topic `arn:aws:sns:<region>:<account>:<name>` goes to its subscribers where such a topic was created. Whether
or not, it becomes a line of `<state>/notifications/<account>/<region>/<name>.jsonl`; where the setting `notification_webhook`
names an address, the message is posted there too, once, with the topic in the header x-amz-sns-topic-arn.
"""

import hashlib
import logging
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.settings import Settings

log = logging.getLogger("tobo.notifications")

WEBHOOK_SECONDS = 5.0
"""For the webhook to answer; it is not asked again."""

_REMEMBERED = 1 << 20
"""Bytes of a topic's end in which a message that is written only once is looked for."""

_writing = threading.Lock()


def write_down(settings: Settings, topic: str, told: Mapping[str, Any]) -> None:
    """Appends a message to its topic's file."""
    with _writing:
        _append(settings, topic, _line(told))


def write_down_once(settings: Settings, topic: str, told: Mapping[str, Any]) -> bool:
    """Appends a message unless the very same one is among the last of its topic; True where it was not.

    For work that a killed server may have done already.
    """
    line = _line(told)
    with _writing:
        if line in _last_lines(topic_file(settings, topic)):
            return False
        _append(settings, topic, line)
        return True


def publish(context: Context, topic: str, subject: str, told: Mapping[str, Any]) -> None:
    """To the topic's subscribers, once however often a killed server does it again; nothing where no such topic was created."""
    row = context.store.find_arn(topic)
    if row is None:
        return
    once = hashlib.sha256(_line(told)).hexdigest()
    try:
        context.as_house(
            row.key.space,
            "sns",
            "Publish",
            TopicArn=topic,
            **({"Subject": "".join(letter for letter in subject if letter.isprintable())[:100]} if subject else {}),
            Message=orjson.dumps(told).decode(),
            MessageDeduplicationId=once,
        )
    except Fault as fault:
        log.warning("a message to %s was not published: %s", topic, fault.message)


def topic_file(settings: Settings, topic: str) -> Path:
    """Where the messages to a topic's ARN are; its pattern was checked, and has no room for a path."""
    _, _, _, region, account, name = topic.split(":", 5)
    return settings.state / "notifications" / account / region / f"{name}.jsonl"


def post(settings: Settings, topic: str, told: Mapping[str, Any]) -> None:
    """Posts a message to the webhook, if there is one; a failure is logged and that is all."""
    if settings.notification_webhook is None:
        return
    headers = {"Content-Type": "application/json", "x-amz-sns-topic-arn": topic}
    try:
        request = urllib.request.Request(settings.notification_webhook, orjson.dumps(told), headers, method="POST")
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):
            pass
    except (OSError, ValueError) as error:
        log.warning("the webhook %s was not told of a message to %s: %s", settings.notification_webhook, topic, error)


def _line(told: Mapping[str, Any]) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _append(settings: Settings, topic: str, line: bytes) -> None:
    file = topic_file(settings, topic)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as lines:
        if lines.seek(0, os.SEEK_END):
            lines.seek(-1, os.SEEK_END)
            if lines.read(1) != b"\n":
                line = b"\n" + line  # behind what a killed server has torn
        lines.write(line)


def _last_lines(file: Path) -> set[bytes]:
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, os.fstat(lines.fileno()).st_size - _REMEMBERED))
            return set(lines.read().splitlines(keepends=True))
    except FileNotFoundError:
        return set()
