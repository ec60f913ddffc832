"""How scalable targets and scheduled actions move. Pure."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.states import Step, Table
from tobo.store.base import Row

TARGET: Table = {
    ("Following", "decided"): Step("Scaling", ("begin", "change", "settle")),
    ("Scaling", "settled"): Step("Following", ("follow",)),
    ("Following", "failed"): Step("Resting", ("rest",)),
    ("Scaling", "failed"): Step("Resting", ("end", "rest")),
    ("Resting", "rested"): Step("Following", ("follow",)),
    ("Resting", "failed"): Step("Resting", ("rest",)),
}
"""What fails is a bug of ours or a full disk: the target rests, and is followed again."""

ACTION: Table = {
    ("Waiting", "came"): Step("Acting", ("act",)),
    ("Acting", "acted"): Step("Waiting", ("wait",)),
    ("Acting", "failed"): Step("Waiting", ("wait",)),
    ("Waiting", "failed"): Step("Failed"),
}


def on_target_step(row: Row, step: Step, now: float, message: str) -> Mapping[str, Any]:
    """What a rest is for."""
    return {"_failed": message} if step.state == "Resting" else {}
