"""What the reaper plans, in words: the command and the console say the same."""

from collections.abc import Mapping
from typing import Any

_STEPS = {"Notice": "notice", "Wait": "wait with", "Act": "act on", "Delete": "delete"}


def sentence(reaping: Mapping[str, Any], at: str) -> str:
    """One of PlanReaping's Reapings; `at` is its time as the reader has it."""
    name = reaping["ResourceArn"].split(":", 5)[5]
    said = f"{reaping['RuleName']}: {_STEPS[reaping['Step']]} {name}, since {reaping['Reason']}"
    return f"{said}; {reaping['Action']} at {at}" if reaping["Step"] == "Wait" else said


def calls(reaping: Mapping[str, Any]) -> list[str]:
    """By which requests it is done, one a line."""
    return [f"{made['Operation']} {made['Request']}" for made in reaping["Calls"]]
