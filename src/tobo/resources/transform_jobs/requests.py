"""What CreateTransformJob refuses before anything starts, beyond what the AWS model says."""

from collections.abc import Mapping
from typing import Any

from tobo.compute.instances import instance
from tobo.kit.fault import validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.quotas import check_instances
from tobo.resources.transform_jobs.processing import read_processing

DEFAULT_PAYLOAD_MB = 6
"""MaxPayloadInMB (API reference, CreateTransformJob)."""

MOST_MB = 100
"""MaxPayloadInMB times MaxConcurrentTransforms (likewise)."""


def check_request(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException, ResourceLimitExceeded in one sentence."""
    source = asked["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise validation(
            f"TransformInput: S3DataType {source['S3DataType']} is not read by transform jobs; use S3Prefix or ManifestFile."
        )
    parse_s3_uri(source["S3Uri"], "TransformInput.DataSource.S3DataSource.S3Uri")
    parse_s3_uri(asked["TransformOutput"]["S3OutputPath"], "TransformOutput.S3OutputPath")
    instance(asked["TransformResources"]["InstanceType"])
    check_instances(call.context, "a transform job", [asked["TransformResources"]["InstanceCount"]])
    if asked.get("DataCaptureConfig"):
        raise validation(
            "DataCaptureConfig is not supported for transform jobs; leave it out: inputs and outputs are kept."
        )
    payload, concurrent = asked.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB), asked.get("MaxConcurrentTransforms", 0)
    if payload > MOST_MB or payload * concurrent > MOST_MB:
        raise validation(
            f"MaxPayloadInMB {payload} times MaxConcurrentTransforms {max(concurrent, 1)} is over {MOST_MB}; lower one."
        )
    read_processing(asked)
