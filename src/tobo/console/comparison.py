"""The comparison of two models that an execution of the loop has left, as pages show it. Its form is docs/loop.md's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.console.reading import read_object
from tobo.console.visit import Visit, url
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.loop.definition import COMPARISON

LARGEST = 16 << 20


@dataclass(frozen=True)
class Changed:
    """A picture that exactly one of the models has right; `source` is where the page gets it."""

    source: str
    picture: str
    words: str


@dataclass(frozen=True)
class Comparison:
    """`told` is the document; the pictures that the new model gained, and those that it lost."""

    told: Mapping[str, Any]
    gained: Sequence[Changed]
    lost: Sequence[Changed]

    @property
    def tone(self) -> str:
        return "good" if self.told["better"] else "warn" if self.told["not_worse"] else "bad"


def comparison_of(visit: Visit, definition: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Comparison | None:
    """Of the step with the property file Comparison, once it has succeeded; None where there is none to be read."""
    for step in definition.get("Steps", []):
        files = [one for one in step.get("PropertyFiles") or [] if one["PropertyFileName"] == COMPARISON]
        done = [one for one in steps if one["StepName"] == step["Name"] and one["StepStatus"] == "Succeeded"]
        if not (files and done):
            continue
        job = done[0]["Metadata"].get("ProcessingJob", {}).get("Arn", "").rsplit("/", 1)[-1]
        try:
            described = visit.quietly("sagemaker", "DescribeProcessingJob", ProcessingJobName=job)
            outputs = {
                one["OutputName"]: one["S3Output"]["S3Uri"] for one in described["ProcessingOutputConfig"]["Outputs"]
            }
            at = parse_s3_uri(outputs[files[0]["OutputName"]], "the output").below(files[0]["FilePath"])
            return _read(visit, at)
        except (Fault, LookupError, ValueError, TypeError):
            return None
    return None


def _read(visit: Visit, at: S3Uri) -> Comparison:
    told = json.loads(read_object(visit, at.bucket, at.key, LARGEST))
    changed = [(one["new"] == one["truth"], _changed(one)) for one in told["changed"]]
    gained = [one for is_gained, one in changed if is_gained]
    return Comparison(told, gained, [one for is_gained, one in changed if not is_gained])


def _changed(one: Mapping[str, str]) -> Changed:
    at = parse_s3_uri(one["picture"], "the comparison")
    words = f"{one['current']} → {one['new']}"
    return Changed(url("s3", "preview", bucket=at.bucket, key=at.key), one["picture"], words)
