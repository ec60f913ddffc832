"""Names that a rerun does not meet again."""

import uuid


def unique(name: str) -> str:
    """`name` with a suffix of its own, fit for every AWS name."""
    return f"{name}-{uuid.uuid4().hex[:8]}"
