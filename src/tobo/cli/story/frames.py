"""Frames that came home: what devices were in doubt about, found in S3 and labelled for the next training."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tobo.cli.story.connection import CONNECTIONS, Connection
from tobo.cli.story.photos import Picture
from tobo.kit.s3_uri import S3Uri


@dataclass(frozen=True)
class Home:
    """A frame in S3 with what its device told of it; `about["frame"]` is the number that its camera gave it."""

    device: str
    key: str
    about: dict[str, Any]
    jpeg: bytes


def come_home(connection: Connection, fleet_output: S3Uri, device: str) -> list[Home]:
    """Every frame of a device below the fleet's output, the oldest first."""
    s3 = connection.client("s3")
    prefix = f"{fleet_output.key}/{device}/frames/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=fleet_output.bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", []) if one["Key"].endswith(".jpg")]

    def read(key: str) -> bytes:
        body: bytes = s3.get_object(Bucket=fleet_output.bucket, Key=key)["Body"].read()
        return body

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        pictures = list(pool.map(read, keys))
        told = list(pool.map(lambda key: json.loads(read(key.removesuffix(".jpg") + ".json")), keys))
    return [Home(device, *each) for each in zip(keys, told, pictures, strict=True)]


def labelled(frames: list[Home], truths: Mapping[str, Mapping[int, str]]) -> tuple[Picture, ...]:
    """The frames with the label that somebody who saw the marble gives them; `truths` by device and number of the frame."""
    found = []
    for frame in frames:
        label = truths[frame.device].get(frame.about["frame"])
        if label is not None:
            name = frame.key.rsplit("/", 1)[-1]
            found.append(Picture(f"{label}/{frame.device}-{name}", label, frame.jpeg))
    return tuple(found)
