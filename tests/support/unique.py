"""Names that a rerun does not meet again."""

import random
import string
import uuid


def unique(name: str) -> str:
    """`name` with a suffix of its own, fit for every AWS name."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def own_region() -> str:
    """The name of a region in which nobody has made anything yet."""
    return f"eu-{''.join(random.choices(string.ascii_lowercase, k=10))}-1"
