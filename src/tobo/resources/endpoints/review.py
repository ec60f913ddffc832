"""Review: the doubtful predictions of one endpoint, on their way to people. operations/review.py says which those are.

The payload is put beside the flow's output first, then the loop starts that names it: a server that is killed between
leaves an object that nobody asks about, and never a loop without its object.
"""

import logging
import mimetypes
import random
import threading
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from tobo.hosting.base import Answer, Invocation
from tobo.kit.arn import Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Context
from tobo.operations.review import Rule, confidence_of, start_loop
from tobo.resources.endpoints.telling import tell
from tobo.wire.body import Body

log = logging.getLogger("tobo.endpoints")

FLUSH_SECONDS = 1.0

MOST_A_MINUTE = 60
"""Loops of one endpoint: people answer no more, and a model that is in doubt of everything must not fill the disk."""

MOST_BYTES = 16 << 20
"""Of payloads that wait to be put."""

LARGEST_ANSWER = 64 << 10
"""Bytes of an answer that is read for its confidence and shown; a larger one is drawn by chance alone, and left out."""

STREAM = "human-review"


class Doubt(NamedTuple):
    """A request whose answer people shall look at; `at` in epoch seconds."""

    at: float
    variant: str
    inference_id: str
    confidence: float | None
    invocation: Invocation
    answer: Answer


class Review:
    """The review of one endpoint. `add` never waits and never raises; `flush` blocks and may run in any thread."""

    def __init__(self, context: Context, space: Namespace, endpoint: str, rule: Rule) -> None:
        self.rule = rule
        self._context = context
        self._space = space
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._held: list[Doubt] = []
        self._held_bytes = 0
        self._minute = 0
        self._of_minute = 0
        self._dropped = 0
        self._flushed = time.monotonic()

    def add(self, variant: str, invocation: Invocation, answer: Answer, inference_id: str) -> None:
        """Holds a request whose answer is doubtful or drawn by chance; from the event loop."""
        judged = self.rule.below and len(answer.body) <= LARGEST_ANSWER
        confidence = confidence_of(_decoded(answer)) if judged else None
        if not self.rule.wants(confidence, random.random()):
            return
        doubt = Doubt(self._context.clock.now(), variant, inference_id, confidence, invocation, answer)
        with self._lock:
            if _minute() != self._minute:
                self._minute, self._of_minute = _minute(), 0
            size = len(invocation.body)
            if self._of_minute >= MOST_A_MINUTE or self._held_bytes + size > MOST_BYTES:
                self._dropped += 1
                return
            self._of_minute += 1
            self._held_bytes += size
            self._held.append(doubt)

    def flush_when_due(self) -> None:
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self, last: bool = False) -> None:
        """Starts a loop for each request that is held; what cannot be is told in the endpoint's log group.

        What was too much is told once a minute, and with the `last` flush.
        """
        with self._flushing:
            with self._lock:
                doubts, self._held, self._held_bytes = self._held, [], 0
                dropped = self._dropped if last or _minute() != self._minute else 0
                self._dropped -= dropped
            self._flushed = time.monotonic()
            if dropped:
                self._tell(
                    f"{dropped} doubtful predictions are shown to nobody: at most {MOST_A_MINUTE} a minute are; lower"
                    " tobo:review-below or tobo:review-share."
                )
            for reason, count in Counter(map(self._start, doubts)).items():
                if reason:
                    self._tell(f"{count} doubtful predictions are shown to nobody: {reason}")

    def _place(self) -> S3Uri:
        """Where payloads go: below the flow's output. Raises the Faults of DescribeFlowDefinition."""
        name = parse_arn(self.rule.flow).name
        flow = self._context.as_house(self._space, "sagemaker", "DescribeFlowDefinition", FlowDefinitionName=name)
        output = parse_s3_uri(flow["OutputConfig"]["S3OutputPath"], "OutputConfig.S3OutputPath")
        return output.below(name, "payloads", self._endpoint)

    def _start(self, doubt: Doubt) -> str:
        """Why nobody is shown this one; "" where its loop has begun."""
        try:
            self._show(self._place(), doubt)
        except Fault as fault:
            return fault.message
        except Exception as bug:
            log.exception("a doubtful prediction of endpoint %s is lost", self._endpoint)
            return f"InternalServerError: {type(bug).__name__}"
        return ""

    def _show(self, place: S3Uri, doubt: Doubt) -> None:
        name = f"{self._endpoint.lower()[:40].rstrip('-')}-{uuid.uuid4().hex[:20]}"
        media_type, body = doubt.invocation.content_type.partition(";")[0].strip(), doubt.invocation.body
        uri = place.below(name + (mimetypes.guess_extension(media_type) or ""))
        info = ObjectInfo(uri.bucket, uri.key, 0, "", 0.0, headers={"ContentType": media_type})
        self._context.objects.put(self._space, info, Body(len(body), body))
        told: dict[str, Any] = {
            "taskObject": str(uri),
            "contentType": media_type,
            "prediction": _decoded(doubt.answer) if len(doubt.answer.body) <= LARGEST_ANSWER else None,
            "confidence": doubt.confidence,
            "endpointName": self._endpoint,
            "variantName": doubt.variant,
            "inferenceId": doubt.inference_id,
            "inferenceTime": f"{datetime.fromtimestamp(doubt.at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        given = {member: value for member, value in told.items() if value not in (None, "")}
        start_loop(self._context, self._space, self.rule, name, given)

    def _tell(self, sentence: str) -> None:
        tell(self._context, self._space, self._endpoint, STREAM, sentence)


def _minute() -> int:
    return int(time.monotonic() // 60)


def _decoded(answer: Answer) -> Any:
    """What a model said, as JSON; a line of CSV as a list; else its text."""
    for before, after in ((b"", b""), (b"[", b"]")):
        try:
            return orjson.loads(before + answer.body + after)
        except ValueError:
            continue
    return answer.body.decode("utf-8", "replace")
