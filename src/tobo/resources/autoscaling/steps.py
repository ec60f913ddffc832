"""Step scaling: which step a metric is in, and how many instances it asks for. Pure.

Source: Application Auto Scaling User Guide, "How step scaling works"; API reference, StepScalingPolicyConfiguration.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, trunc
from statistics import fmean
from typing import Any

from tobo.kit.fault import validation

CHANGE, PERCENT, EXACT = "ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"

MOST_STEPS = 20
"""Of a policy, as on AWS."""

_LOWER, _UPPER = "MetricIntervalLowerBound", "MetricIntervalUpperBound"
_AGGREGATIONS: Mapping[str, Callable[[Sequence[float]], float]] = {"Average": fmean, "Minimum": min, "Maximum": max}


@dataclass(frozen=True)
class Adjustment:
    """What a step does to a capacity; `magnitude` are the fewest instances that a percentage changes."""

    kind: str
    amount: int
    magnitude: int = 0

    def of(self, capacity: int) -> int:
        """The capacity that it asks for; bounds are somebody else's business."""
        if self.kind == EXACT:
            return self.amount
        change = self.amount
        if self.kind == PERCENT:
            share = capacity * self.amount / 100
            change = trunc(share) or (share > 0) - (share < 0)
            if abs(change) < self.magnitude:
                change = self.magnitude if self.amount > 0 else -self.magnitude if self.amount < 0 else 0
        return max(0, capacity + change)


def check_steps(configuration: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException where a StepScalingPolicyConfiguration has gaps, overlaps or nothing to do."""
    kind, steps = configuration.get("AdjustmentType"), configuration.get("StepAdjustments")
    if not kind or not steps:
        raise validation("StepScalingPolicyConfiguration needs an AdjustmentType and StepAdjustments.")
    if len(steps) > MOST_STEPS:
        raise validation(f"StepAdjustments has {len(steps)} members; a policy has at most {MOST_STEPS}.")
    for member in ("Cooldown", "MinAdjustmentMagnitude"):
        if configuration.get(member, 0) < 0:
            raise validation(f"{member} {configuration[member]} is below 0.")
    if "MinAdjustmentMagnitude" in configuration and kind != PERCENT:
        raise validation(f"MinAdjustmentMagnitude is for the AdjustmentType {PERCENT} only; leave it out.")
    for step in steps:
        if kind == EXACT and step["ScalingAdjustment"] < 0:
            raise validation(f"ScalingAdjustment {step['ScalingAdjustment']} is below 0, where {EXACT} is asked for.")
        if _low(step) >= _high(step):
            raise validation(f"{_LOWER} {_low(step):g} is not below {_UPPER} {_high(step):g}.")
        if _low(step) == -inf and _high(step) == inf:
            raise validation(f"A step adjustment has neither {_LOWER} nor {_UPPER}; give one of them.")
    _check_row(sorted(steps, key=_low))


def _check_row(steps: Sequence[Mapping[str, Any]]) -> None:
    """Steps in the order of their lower bounds."""
    for one, other in pairwise(steps):
        if _high(one) > _low(other):
            raise validation(
                f"Two step adjustments overlap: one ends at {_high(one):g}, one begins at {_low(other):g}."
            )
        if _high(one) < _low(other):
            raise validation(f"There is a gap between step adjustments, from {_high(one):g} to {_low(other):g}.")
    lowest, highest = _low(steps[0]), _high(steps[-1])
    if -inf < lowest < 0:
        raise validation(f"No step adjustment is below {lowest:g}; the lowest one has no {_LOWER}.")
    if 0 < highest < inf:
        raise validation(f"No step adjustment is above {highest:g}; the highest one has no {_UPPER}.")


def find_step(configuration: Mapping[str, Any], threshold: float, values: Sequence[float]) -> Adjustment | None:
    """The step that a metric is in, by the datapoints that its alarm was judged by; None: in none of them.

    Bounds are relative to the alarm's threshold. Above it the lower one belongs to a step, below it the upper one; a
    metric that is at the threshold, or says nothing, is in a step at either side of it.
    """
    beyond = 0.0
    if values:
        beyond = _AGGREGATIONS[configuration.get("MetricAggregationType", "Average")](values) - threshold
    steps: Sequence[Mapping[str, Any]] = configuration["StepAdjustments"]
    above = [step for step in steps if beyond >= 0 and _low(step) <= beyond < _high(step)]
    below = [step for step in steps if beyond <= 0 and _low(step) < beyond <= _high(step)]
    for step in (*above, *below):
        magnitude = configuration.get("MinAdjustmentMagnitude", 0)
        return Adjustment(configuration["AdjustmentType"], step["ScalingAdjustment"], magnitude)
    return None


def _low(step: Mapping[str, Any]) -> float:
    low: float = step.get(_LOWER, -inf)
    return low


def _high(step: Mapping[str, Any]) -> float:
    high: float = step.get(_UPPER, inf)
    return high
