"""Changing a bucket's tags and settings: read, change and write, one request at a time."""

import threading
from collections.abc import Callable

from tobo.objects.base import Bucket
from tobo.operations.context import Call
from tobo.operations.registry import Asked
from tobo.resources.buckets.address import asked_bucket

_ONE_AT_A_TIME = threading.Lock()
"""Without it, two sub-resources that are put at once (Terraform does) would lose one."""


def change_bucket(call: Call, asked: Asked, change: Callable[[Bucket], Bucket]) -> None:
    """Writes what `change` makes of the asked bucket; raises Fault NoSuchBucket, AccessDenied."""
    with _ONE_AT_A_TIME:
        call.context.objects.change_bucket(call.space, change(asked_bucket(call, asked)))
