"""The numbers of an account's bundles: each is larger than all before it, and given to one job."""

from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.store.base import AlreadyExists, Conflict, Key, Row

_KIND = "edge-sequence"


def next_number(context: Context, account: str) -> int:
    """The next one, on the disk before it is told: who is killed with it leaves a gap, and no number comes twice."""
    key = Key(Namespace(account, ""), _KIND, "bundles")
    while True:
        row = context.store.get(key)
        try:
            if row is None:
                now = context.clock.now()
                row = Row(key, f"arn:aws:sagemaker::{account}:{_KIND}/bundles", {}, {"last": 1}, "", "", now, now)
                context.store.insert(row)
                return 1
            number: int = row.found["last"] + 1
            context.store.update(row, found={"last": number})
            return number
        except (AlreadyExists, Conflict):
            continue
