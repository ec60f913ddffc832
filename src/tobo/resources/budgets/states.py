"""How a budget moves: it is watched for ever. Pure."""

from tobo.kit.states import Step, Table

TABLE: Table = {("Watched", "failed"): Step("Watched", ("rest", "watch"))}
"""What fails is a bug of ours or a full disk: it rests, and is looked at again."""
