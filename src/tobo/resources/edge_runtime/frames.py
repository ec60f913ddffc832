"""Frames that devices send home, shown to people where their fleet's tags say so: see operations/review.py.

A device sends few frames home, those of which it is unsure and a random share. They are looked at with its heartbeats, in
their order, and each starts a loop whose name follows from its own: a server that is killed starts none twice.
"""

import hashlib
import json
import logging
from typing import Any

from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri
from tobo.operations.context import Call
from tobo.operations.edge import FLEET, device_row, fleet_folder
from tobo.operations.review import Rule, confidence_of, rule_of, start_loop
from tobo.operations.sources import keys_below, read_object
from tobo.store.base import Conflict, Key

log = logging.getLogger("tobo.edge")

MOST = 20
"""Frames that are looked at with one heartbeat."""

LARGEST = 64 << 10
"""Bytes of a frame's description that is read; a device writes hundreds."""

_LAST = "_reviewed"
"""Of a device's findings: the key of the frame that was looked at last."""


def review_frames(call: Call, fleet: str, device: str) -> None:
    """Starts the loops of the frames that came since the last heartbeat; those from before there was a rule are left.

    Never raises a Fault: what cannot be shown now is logged, and tried again with the next heartbeat.
    """
    its = call.context.store.get(Key(call.space, FLEET, fleet))
    if its is None:
        return
    try:
        if (rule := rule_of(its.tags)) is not None:
            folder = fleet_folder(its.asked["OutputConfig"]["S3OutputLocation"], fleet, device, "frames", "")
            _review(call, fleet, device, rule, folder)
    except Fault as fault:
        log.warning("frames of device %s of fleet %s are not shown to people: %s", device, fleet, fault.message)


def _review(call: Call, fleet: str, device: str, rule: Rule, folder: S3Uri) -> None:
    objects, last = call.context.objects, device_row(call, fleet, device).found.get(_LAST)
    if last is None:
        newest = max((info.key for info in keys_below(objects, call.space, folder)), default="")
        _remember(call, fleet, device, newest)
        return
    seen = last
    try:
        for info in objects.list(call.space, folder.bucket, folder.key, after=last, limit=2 * MOST).objects:
            if info.key.endswith(".jpg"):
                _look(call, fleet, device, rule, S3Uri(folder.bucket, info.key))
                seen = info.key
    finally:
        if seen != last:
            _remember(call, fleet, device, seen)


def _look(call: Call, fleet: str, device: str, rule: Rule, picture: S3Uri) -> None:
    about = _about(call, picture._replace(key=picture.key.removesuffix("jpg") + "json"))
    scores = about.get("scores")
    confidence = confidence_of(list(scores.values())) if isinstance(scores, dict) else None
    mark = hashlib.sha256(f"{fleet}/{device}".encode()).hexdigest()[:16]
    name = f"frame-{mark}-{picture.key.rsplit('/', 1)[-1].removesuffix('.jpg')}"
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64  # the same whenever it is asked
    if rule.wants(confidence, drawn):
        told = {"deviceFleetName": fleet, "deviceName": device, "confidence": confidence, "prediction": about}
        start_loop(call.context, call.space, rule, name, {"taskObject": str(picture), **told})


def _about(call: Call, uri: S3Uri) -> dict[str, Any]:
    """What the device says of a frame; nothing where it is not there, or not what a device writes."""
    objects = call.context.objects
    try:
        if objects.head(call.space, uri.bucket, uri.key).size > LARGEST:
            return {}
        told = json.loads(read_object(objects, call.space, uri))
    except (Fault, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _remember(call: Call, fleet: str, device: str, key: str) -> None:
    while True:
        row = device_row(call, fleet, device)
        try:
            call.context.store.update(row, found={**row.found, _LAST: key})
            return
        except Conflict:
            continue
