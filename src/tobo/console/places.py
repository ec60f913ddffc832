"""Places: where the console shows what an address or an ARN names."""

from collections.abc import Mapping

from tobo.console.visit import url
from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault


def s3_place(address: str) -> str:
    """The folder of an s3:// address in the S3 browser; "" for what is no such address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        return ""
    folder = key if key.endswith("/") else key.rpartition("/")[0] + "/" if "/" in key else ""
    return url("s3", bucket, prefix=folder)


_SHOWN: Mapping[str, str] = {
    "notebook-instance": "notebooks",
    "hyper-parameter-tuning-job": "tuning-jobs",
    "labeling-job": "labeling-jobs",
    **{
        kind: f"{kind}s"
        for kind in ("endpoint", "training-job", "transform-job", "compilation-job", "pipeline", "model")
    },
}
"""Kinds as ARNs have them -> the first part of the address where one of them is shown."""


def arn_place(arn: str, region: str) -> tuple[str, str]:
    """What a resource is called, with its region where that is not the one that is looked at, and its page, "" where it has none.

    What is no ARN is called as it is.
    """
    try:
        its = parse_arn(arn)
    except Fault:
        return arn, ""
    if its.service == "sns":
        words, page = f"topic {its.resource}", url("topics", its.resource)
    else:
        kind, _, name = its.resource.partition("/")
        words, page = f"{kind.replace('-', ' ')} {name}", url(_SHOWN[kind], name) if kind in _SHOWN else ""
    return (words, page) if its.region in ("", region) else (f"{words} in {its.region}", "")
