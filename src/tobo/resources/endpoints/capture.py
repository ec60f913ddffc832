"""Data capture: what callers sent and models answered, sampled, as JSON lines on S3.

Layout and lines are AWS's (Developer Guide, "Capture data from real-time endpoint"):
`<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/<minute>-<second>-<millisecond>-<uuid>.jsonl`, times in UTC.
"""

import base64
import logging
import random
import threading
import time
import uuid
from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from tobo.hosting.base import Answer, Invocation
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Context
from tobo.resources.endpoints.telling import tell
from tobo.wire.body import Body

log = logging.getLogger("tobo.endpoints")

FLUSH_SECONDS = 5.0
FLUSH_BYTES = 4 << 20
"""Whichever comes first ends a file."""

MOST_BYTES = 64 << 20
"""Of samples that are held in memory; what comes on top, on a disk that is too slow for its callers, is dropped."""

_LOG_STREAM = "data-capture"


class Sample(NamedTuple):
    """One request with its answer; `at` in epoch seconds."""

    at: float
    variant: str
    inference_id: str
    invocation: Invocation
    answer: Answer

    @property
    def size(self) -> int:
        return len(self.invocation.body) + len(self.answer.body) + 500


class Capture:
    """The capture of one endpoint. `add` never waits and never raises; `flush` blocks and may run in any thread."""

    def __init__(self, context: Context, space: Namespace, endpoint: str, config: Mapping[str, Any]) -> None:
        """`config` is an enabled DataCaptureConfig. Raises Fault where its DestinationS3Uri is no address."""
        self.config = config
        self._context = context
        self._space = space
        self._endpoint = endpoint
        self._target = parse_s3_uri(config["DestinationS3Uri"], "DataCaptureConfig.DestinationS3Uri")
        self._share = config["InitialSamplingPercentage"] / 100
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self._input = bool(modes & {"Input", "InputAndOutput"})
        self._output = bool(modes & {"Output", "InputAndOutput"})
        types = config.get("CaptureContentTypeHeader", {})
        self._encodings = {
            **{_plain_type(name): "CSV" for name in types.get("CsvContentTypes", ())},
            **{_plain_type(name): "JSON" for name in types.get("JsonContentTypes", ())},
        }
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._held: list[Sample] = []
        self._held_bytes = 0  # being written included
        self._unwritten_bytes = 0
        self._dropped = 0
        self._flushed = time.monotonic()

    def add(self, variant: str, invocation: Invocation, answer: Answer, inference_id: str) -> None:
        """Holds one sample, or passes it by; from the event loop."""
        if self._share < 1 and random.random() >= self._share:
            return
        sample = Sample(self._context.clock.now(), variant, inference_id, invocation, answer)
        size = sample.size
        with self._lock:
            if self._held_bytes + size > MOST_BYTES:
                self._dropped += 1
                return
            self._held.append(sample)
            self._held_bytes += size
            self._unwritten_bytes += size
            full = self._unwritten_bytes >= FLUSH_BYTES
            if full:
                self._unwritten_bytes = 0
        if full:
            get_running_loop().run_in_executor(None, self.flush)

    def flush_when_due(self) -> None:
        """Writes what has been held for FLUSH_SECONDS."""
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is held; afterwards nothing is under way that was held before.

        A file that cannot be written is given up with a line in the endpoint's log group.
        """
        with self._writing:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            samples, self._held = self._held, []
            dropped, self._dropped = self._dropped, 0
            self._unwritten_bytes = 0
            self._flushed = time.monotonic()
        if dropped:
            self._tell(f"{dropped} samples were dropped: they came faster than they could be written.")
        files: dict[str, list[Sample]] = {}
        for sample in samples:
            at = datetime.fromtimestamp(sample.at, UTC)
            files.setdefault(f"{sample.variant}/{at:%Y/%m/%d/%H}", []).append(sample)
        for folder, its in files.items():
            try:
                self._write(folder, its)
            except Fault as fault:
                self._tell(f"{len(its)} samples could not be written to {self._target}: {fault.message}")
            except Exception:
                log.exception("%d captured samples of endpoint %s are lost", len(its), self._endpoint)
            finally:
                with self._lock:
                    self._held_bytes -= sum(sample.size for sample in its)

    def _write(self, folder: str, samples: Sequence[Sample]) -> None:
        first = datetime.fromtimestamp(samples[0].at, UTC)
        name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        target = self._target.below(self._endpoint, folder, name)
        data = b"".join(self._line(sample) for sample in samples)
        info = ObjectInfo(target.bucket, target.key, 0, "", 0.0, {"ContentType": "application/jsonlines"})
        self._context.objects.put(self._space, info, Body(len(data), data))

    def _line(self, sample: Sample) -> bytes:
        captured: dict[str, Any] = {}
        asked, answer = sample.invocation, sample.answer
        if self._input:
            captured["endpointInput"] = self._side("INPUT", asked.content_type, asked.body)
        if self._output:
            captured["endpointOutput"] = self._side("OUTPUT", answer.content_type, answer.body)
        metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if sample.inference_id:
            metadata["inferenceId"] = sample.inference_id
        if asked.custom_attributes:
            metadata["customAttributes"] = [asked.custom_attributes]
        metadata["inferenceTime"] = f"{datetime.fromtimestamp(sample.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        event = {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)

    def _side(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        """BASE64 for every type that CaptureContentTypeHeader does not name, and for what is not text after all."""
        encoding = self._encodings.get(_plain_type(content_type), "BASE64")
        try:
            data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
        except UnicodeDecodeError:
            encoding, data = "BASE64", base64.b64encode(body).decode()
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    def _tell(self, sentence: str) -> None:
        log.warning("data capture of endpoint %s: %s", self._endpoint, sentence)
        tell(self._context, self._space, self._endpoint, _LOG_STREAM, sentence)


def capture_summary(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """DescribeEndpoint's DataCaptureConfig of a configuration's (API reference, DataCaptureConfigSummary)."""
    if not config:
        return None
    enabled = bool(config.get("EnableCapture"))
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _plain_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
