"""A human loop's output.json, as its page shows it."""

import json
import mimetypes
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tobo.console.labelling_items import preview
from tobo.console.reading import read_object
from tobo.console.visit import Visit
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri

LARGEST = 8 << 20
"""Bytes that are read."""


def output_of(visit: Visit, loop: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What was asked and answered, and the address of its taskObject's `picture`; None where nothing is written, or not for this key."""
    try:
        uri = parse_s3_uri(loop["HumanLoopOutput"]["OutputS3Uri"], "OutputS3Uri")
        told: dict[str, Any] = json.loads(read_object(visit, uri.bucket, uri.key, LARGEST))
    except (Fault, ValueError):
        return None
    subject = told["inputContent"].get("taskObject")
    is_picture = isinstance(subject, str) and (mimetypes.guess_type(subject)[0] or "").startswith("image/")
    for answer in told["humanAnswers"]:
        answer["submitted"] = datetime.fromisoformat(answer["submissionTime"])
    return {**told, "picture": preview(subject) if is_picture else ""}
