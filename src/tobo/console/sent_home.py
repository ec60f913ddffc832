"""What a device has sent home last: a frame that it kept, its decision, its counts. Its form is docs/edge.md's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tobo.console.reading import read_object
from tobo.console.visit import Visit
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri

LARGEST = 4 << 20
"""Bytes of a segment of events that is read; the device seals them at 128 kB."""

_HIGHEST = 10**20


@dataclass(frozen=True)
class SentHome:
    """`frame` is what the device says of `picture` (a key of `bucket`), `counts` of its last minute that it told."""

    bucket: str
    folder: str
    frame: Mapping[str, Any] = field(default_factory=dict)
    picture: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    """What is wrong with it since its last word on that: its camera's or its arm's fault."""


def sent_home(visit: Visit, fleet: str, device: str) -> SentHome | None:
    """None where the key may not look, or the fleet has no place in S3 any more."""
    try:
        described = visit.quietly("sagemaker", "DescribeDeviceFleet", DeviceFleetName=fleet)
        base = parse_s3_uri(described["OutputConfig"]["S3OutputLocation"], "the fleet's place")
        at = base.below(fleet, device, "")
        frame = newest(visit, at.bucket, f"{at.key}frames/")
        told = _told(visit, at)
        if frame is None:
            return SentHome(at.bucket, at.key, counts=told.get("counts", {}), faults=_faults(told))
        about = json.loads(read_object(visit, at.bucket, f"{at.key}frames/{frame:020d}.json"))
        picture = f"{at.key}frames/{frame:020d}.jpg"
        return SentHome(at.bucket, at.key, about, picture, told.get("counts", {}), _faults(told))
    except (Fault, ValueError):
        return None


def newest(visit: Visit, bucket: str, folder: str) -> int | None:
    """The highest number of <folder><20 digits>.<ending>, found by halving, for S3 lists the oldest first.

    At most 68 questions of one key each, however many keys there are. Raises ListObjectsV2's Faults.
    """

    def after(number: int | None) -> int | None:
        """The next one behind `number`, or the first."""
        start = {} if number is None else {"StartAfter": f"{folder}{number:020d}~"}  # ~ is behind every ending
        for one in visit.quietly("s3", "ListObjectsV2", Bucket=bucket, Prefix=folder, MaxKeys=1, **start)["Contents"]:
            stem = one["Key"][len(folder) :].partition(".")[0]
            return int(stem) if len(stem) == 20 and stem.isascii() and stem.isdigit() else None
        return None

    low, high = after(None), _HIGHEST
    while low is not None and low < high:
        middle = (low + high) // 2
        found = after(middle)
        low, high = (low, middle) if found is None else (found, high)
    return low


def _told(visit: Visit, at: S3Uri) -> dict[str, Mapping[str, Any]]:
    """The last event of each kind in the newest segment of events."""
    number = newest(visit, at.bucket, f"{at.key}events/")
    if number is None:
        return {}
    text = read_object(visit, at.bucket, f"{at.key}events/{number:020d}.jsonl", LARGEST)
    return {str(event.get("kind")): event for event in map(json.loads, text.splitlines()) if isinstance(event, dict)}


def _faults(told: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(str(told[kind]["fault"]) for kind in ("fault", "arm") if told.get(kind, {}).get("fault"))
