"""Doubtful predictions: three tags by which an endpoint, or a fleet of devices, has people look at some of what it says.

    tobo:review-flow    the ARN of the flow definition whose people are asked
    tobo:review-below   0 to 1: a prediction that is less sure than this starts a human loop
    tobo:review-share   0 to 1: so many of the others, drawn by chance, start one too

An addition of tobo's own: on AWS it is the caller of an endpoint who starts loops.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import validation
from tobo.operations.context import Context

FLOW, BELOW, SHARE = "tobo:review-flow", "tobo:review-below", "tobo:review-share"

_WITHIN = ("score", "probability", "probabilities", "scores", "prediction", "predictions")


@dataclass(frozen=True)
class Rule:
    """Which predictions people look at."""

    flow: str
    below: float
    share: float

    def wants(self, confidence: float | None, chance: float) -> bool:
        """`confidence` from 0 to 1, None where a prediction tells none; `chance` evenly drawn from [0, 1)."""
        return (confidence is not None and confidence < self.below) or chance < self.share


def rule_of(tags: Mapping[str, str]) -> Rule | None:
    """None without a flow. Raises Fault ValidationException for a limit or a share that is none."""
    flow = tags.get(FLOW)
    return Rule(flow, _part(tags, BELOW), _part(tags, SHARE)) if flow else None


def start_loop(context: Context, space: Namespace, rule: Rule, name: str, content: Mapping[str, Any]) -> None:
    """The same name with the same content is one loop, however often. Raises the Faults of StartHumanLoop."""
    context.as_house(
        *(space, "sagemaker-a2i-runtime", "StartHumanLoop"),
        HumanLoopName=name,
        FlowDefinitionArn=rule.flow,
        HumanLoopInput={"InputContent": json.dumps(content, ensure_ascii=False)},
    )


def confidence_of(told: Any) -> float | None:
    """How sure a decoded prediction is, from 0 to 1: of several classes the largest probability, of a single probability p
    max(p, 1 - p), a `confidence` as it stands; also inside an object or a batch of one. None for what tells none."""
    if isinstance(told, int | float) and not isinstance(told, bool):
        return max(told, 1 - told) if 0 <= told <= 1 else None
    if isinstance(told, list):
        if len(told) == 1:
            return confidence_of(told[0])
        try:
            least, most = min(told), max(told)  # of a thousand classes in microseconds, which a loop of ours is not
        except (TypeError, ValueError):
            return None
        return most if isinstance(most, int | float) and 0 <= least <= most <= 1 else None
    if isinstance(told, dict):
        if isinstance(sure := told.get("confidence"), int | float) and 0 <= sure <= 1:
            return float(sure)
        within = (told[name] for name in _WITHIN if name in told)
        return confidence_of(next(within, None))
    return None


def _part(tags: Mapping[str, str], name: str) -> float:
    text = tags.get(name, "0")
    try:
        part = float(text)
    except ValueError:
        part = -1.0
    if not 0 <= part <= 1:
        raise validation(f"The tag {name} is '{text}'; write a number from 0 to 1.")
    return part
