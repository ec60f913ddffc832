"""One accepted request of an asynchronous endpoint, on its way from a row of the store to its output in S3."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tobo.hosting.base import MOST_LOST, Answer, Invocation, NoReplica
from tobo.kit.fault import Fault
from tobo.kit.frames import LONGEST_BODY
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import ObjectInfo
from tobo.operations import notifications
from tobo.operations.context import Context
from tobo.resources.endpoints.messages import message
from tobo.resources.endpoints.telling import GROUP, tell
from tobo.store.base import Row
from tobo.wire.body import Body

MARK = "tobo-async-invocation"
"""Metadata of every output: which row it is the answer to."""

_PAUSE = 0.1
_LOG_STREAM = "data-log"


class Ways(NamedTuple):
    """What a request needs of its endpoint's route."""

    pick: Callable[[], tuple[str, str]]
    """The variant and the hosting group that the next request goes to; raises Fault where there is none."""
    capture: Callable[[str, Invocation, Answer, str], None]
    """Is told of each answer: variant, request, answer and InferenceId."""


def expired(row: Row, now: float) -> bool:
    """Whether a request has waited for longer than it may."""
    waited: bool = now - row.created > row.asked["RequestTTLSeconds"]
    return waited


class _Written(NamedTuple):
    """How a request ended, as a notification says it, and what the model answered."""

    outcome: dict[str, Any]
    response: bytes


class AcceptedRequest:
    """One row on its way to its output."""

    def __init__(self, context: Context, endpoint: str, ways: Ways, output: Mapping[str, Any], row: Row) -> None:
        """`output` is the endpoint's AsyncInferenceOutputConfig."""
        self._context = context
        self._endpoint = endpoint
        self._ways = ways
        self._output = output
        self._row = row
        self._space = row.key.space

    async def serve(self) -> bool:
        """Answer, output, notification, and the row's end; what a killed server had written is not made again.

        True where the request was completed, False where it failed.
        """
        written = await asyncio.to_thread(self._written)
        if written is None:
            written = await asyncio.to_thread(self._write, await self._answer())
        completed: bool = written.outcome["invocationStatus"] == "Completed"
        topic, told = self._message(written, completed)
        if topic:
            await asyncio.to_thread(notifications.publish, self._context, topic, "", told)
            await asyncio.to_thread(notifications.write_down, self._context.settings, topic, told)
        await asyncio.to_thread(self._context.store.delete, self._row)
        if topic:  # nobody waits for a webhook
            asyncio.get_running_loop().run_in_executor(None, notifications.post, self._context.settings, topic, told)
        return completed

    async def _answer(self) -> Answer | str:
        """The model's answer, or the sentence that says why there is none."""
        asked = self._row.asked
        try:
            body, content_type = await asyncio.to_thread(self._input)
        except Fault as fault:
            return f"The input cannot be read: {fault.message}"
        invocation = Invocation(body, content_type, asked.get("Accept", "*/*"), asked.get("CustomAttributes", ""))
        seconds = float(asked["InvocationTimeoutSeconds"])
        lost = 0
        while True:
            if expired(self._row, self._context.clock.now()):
                return f"The request waited for longer than RequestTTLSeconds of {asked['RequestTTLSeconds']}."
            try:
                variant, group = self._ways.pick()
                answer = await self._context.hosting.invoke(group, invocation, seconds)
                if answer.status < 400:
                    self._ways.capture(variant, invocation, answer, asked["InferenceId"])
                return answer
            except NoReplica as missing:
                lost += missing.lost
                if lost >= MOST_LOST:
                    return Answer(500, b"The model's process died while it worked on the request.", "text/plain")
            except TimeoutError:
                return f"The model did not answer within InvocationTimeoutSeconds of {seconds:g}."
            except Fault:  # paused: no variant has an instance
                pass
            await asyncio.sleep(_PAUSE)

    def _input(self) -> tuple[bytes, str]:
        """The payload and its content type, S3's where the request names none. Raises Fault where it is gone."""
        asked = self._row.asked
        if "Body" in asked:
            return base64.b64decode(asked["Body"]), asked.get("ContentType", "application/octet-stream")
        uri = parse_s3_uri(asked["InputLocation"], "InputLocation")
        objects = self._context.objects
        while True:
            info = objects.head(self._space, uri.bucket, uri.key)
            if info.size > LONGEST_BODY:
                raise Fault(
                    "ValidationError", f"'{uri}' has {info.size:,} bytes; {LONGEST_BODY:,} may be sent to a model."
                )
            stored = info.headers.get("ContentType", "application/octet-stream")
            try:
                return objects.path(self._space, info).read_bytes(), asked.get("ContentType", stored)
            except FileNotFoundError:
                continue  # overwritten meanwhile

    def _written(self) -> _Written | None:
        """The outcome that a killed server has already written, if it has."""
        for member, status in (("OutputLocation", "Completed"), ("FailureLocation", "Failed")):
            if not (location := self._row.found.get(member)):
                continue
            uri = parse_s3_uri(location, member)
            try:
                info = self._context.objects.head(self._space, uri.bucket, uri.key)
                if info.metadata.get(MARK) != self._row.key.name:
                    continue
                data = self._context.objects.path(self._space, info).read_bytes()
            except (Fault, FileNotFoundError):
                continue
            if status == "Failed":
                return _Written(self._failed(data.decode("utf-8", "replace")), data)
            return _Written(self._completed(info.headers.get("ContentType", "")), data)
        return None

    def _write(self, answer: Answer | str) -> _Written:
        """The output, or the failure where there is a place for one."""
        response = b""
        if isinstance(answer, str):
            text = answer
        elif answer.status < 400:
            try:
                self._put("OutputLocation", answer.body, answer.content_type)
                return _Written(self._completed(answer.content_type), answer.body)
            except Fault as fault:
                text = f"The output cannot be written to {self._row.found['OutputLocation']}: {fault.message}"
        else:
            who, response = "client" if answer.status < 500 else "server", answer.body
            text = (
                f'Received {who} error ({answer.status}) from model with message "{response.decode("utf-8", "replace")}". '
                f"See {GROUP}/{self._endpoint} in your account for more information."
            )
        self._log(text)
        if "FailureLocation" in self._row.found:
            try:
                self._put("FailureLocation", text.encode(), "text/plain")
            except Fault as fault:
                self._log(f"The failure cannot be written to {self._row.found['FailureLocation']}: {fault.message}")
        return _Written(self._failed(text), response)

    def _put(self, member: str, data: bytes, content_type: str) -> None:
        uri = parse_s3_uri(self._row.found[member], member)
        headers, marked = {"ContentType": content_type}, {MARK: self._row.key.name}
        info = ObjectInfo(uri.bucket, uri.key, 0, "", 0.0, headers, metadata=marked)
        self._context.objects.put(self._space, info, Body(len(data), data))

    def _completed(self, content_type: str) -> dict[str, Any]:
        where = {"contentType": content_type, "outputLocation": self._row.found["OutputLocation"]}
        return {"invocationStatus": "Completed", "responseParameters": where}

    def _failed(self, text: str) -> dict[str, Any]:
        outcome: dict[str, Any] = {"invocationStatus": "Failed", "failureReason": f"ClientError: {text}"}
        if location := self._row.found.get("FailureLocation"):
            outcome["responseParameters"] = {"outputLocation": location}
        return outcome

    def _message(self, written: _Written, completed: bool) -> tuple[str, dict[str, Any]]:
        """The topic, "" where there is none, and its message."""
        config = self._output.get("NotificationConfig", {})
        topic = config.get("SuccessTopic" if completed else "ErrorTopic", "")
        wanted = "SUCCESS_NOTIFICATION_TOPIC" if completed else "ERROR_NOTIFICATION_TOPIC"
        told = message(
            self._space,
            self._endpoint,
            self._row.asked,
            self._row.created,
            self._context.clock.now(),
            written.outcome,
            written.response if wanted in config.get("IncludeInferenceResponseIn", ()) else None,
        )
        return topic, told

    def _log(self, text: str) -> None:
        line = f"{self._row.asked['InferenceId']}: {text}"
        tell(self._context, self._space, self._endpoint, _LOG_STREAM, line)
