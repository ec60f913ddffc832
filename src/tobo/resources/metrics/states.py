"""How the retention of metrics moves: it goes on for ever. Pure."""

from tobo.kit.states import Step, Table

TABLE: Table = {("Aging", "failed"): Step("Aging", ("rest", "age"))}
"""What fails is a bug of ours or a full disk: it rests, and is tried again."""
