"""What a transform job's scoring needs to know, read once from its row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Context
from tobo.resources.transform_jobs.processing import Processing, read_processing
from tobo.resources.transform_jobs.requests import DEFAULT_PAYLOAD_MB
from tobo.store.base import Row

GROUP = "/aws/sagemaker/TransformJobs"
"""The log group of all transform jobs."""

DEFAULT_TIMEOUT, DEFAULT_RETRIES = 600, 3
"""ModelClientConfig's (API reference): seconds for an answer, and further attempts where there was none."""

_AHEAD = 2
"""Requests that a replica has at a time where MaxConcurrentTransforms does not say: one is worked on, one waits there."""


@dataclass(frozen=True)
class Plan:
    """`slots` requests are under way at a time. `mark` is what the job's outputs bear, so that none is made twice."""

    space: Namespace
    group: str
    mark: str
    log_stream: str
    folder: Path
    source_type: str
    source: S3Uri
    output: S3Uri
    gzipped: bool
    split: str
    single: bool
    limit: int
    lines: bool
    content_type: str
    accept: str
    processing: Processing
    slots: int
    timeout: float
    retries: int


def read_plan(context: Context, row: Row) -> Plan:
    """The plan of a job whose replicas are known."""
    asked: Mapping[str, Any] = row.asked
    source, output = asked["TransformInput"], asked["TransformOutput"]
    client = asked.get("ModelClientConfig", {})
    content_type = source.get("ContentType", "application/octet-stream")
    joined = asked["DataProcessing"].get("JoinSource") == "Input"
    return Plan(
        space=row.key.space,
        group=hosting_group(row),
        mark=f"{row.arn}#{row.id}",
        log_stream=f"{row.key.name}/{stream_suffix(row, 0)}/data-log",
        folder=job_folder(context, row),
        source_type=source["DataSource"]["S3DataSource"]["S3DataType"],
        source=parse_s3_uri(source["DataSource"]["S3DataSource"]["S3Uri"], "TransformInput"),
        output=parse_s3_uri(output["S3OutputPath"], "TransformOutput.S3OutputPath"),
        gzipped=source["CompressionType"] == "Gzip",
        split=source["SplitType"],
        single=asked.get("BatchStrategy") == "SingleRecord" or source["SplitType"] == "None",
        limit=asked.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) << 20,
        lines=output["AssembleWith"] == "Line",
        content_type=content_type,
        accept=output.get("Accept") or (content_type if joined else "*/*"),
        processing=read_processing(asked),
        slots=concurrency(row) or _AHEAD * len(row.found["_replicas"]),
        timeout=client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT),
        retries=client.get("InvocationsMaxRetries", DEFAULT_RETRIES),
    )


def concurrency(row: Row) -> int:
    """Requests at a time on all instances, 0 where the job leaves that to us."""
    count: int = row.asked["TransformResources"]["InstanceCount"]
    return count * int(row.asked.get("MaxConcurrentTransforms", 0))


def job_folder(context: Context, row: Row) -> Path:
    return context.settings.state / "transform" / str(row.id)


def hosting_group(row: Row) -> str:
    return f"{row.key.space.account}/{row.key.space.region}/transform-job/{row.key.name}"


def stream_suffix(row: Row, ordinal: int) -> str:
    """The instance's name in log streams."""
    return f"i-{row.id:08x}{ordinal:04x}"
