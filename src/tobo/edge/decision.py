"""The decision rule, outside the model: scores and circumstances in, verdict out; pure, changeable while the line runs.

A label counts where its score reaches its threshold or, for a label without one, where it is the highest of all. A part
is ok where a label that is accepted counts and none that is not does. Unknown, late, too close or failed is ko.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tobo.edge.ports import Verdict

Override = Literal["auto", "ok", "ko"]
Reason = Literal["class", "unknown", "late", "close", "failed", "override"]


@dataclass(frozen=True)
class Rule:
    """`thresholds` by label, 0..1; `accept` the labels that are ok; `budget` in seconds from a part's arrival.

    A part that comes less than `separation` seconds after the one before is commanded when that one has passed the arm;
    where that would be past its own `budget` it is ko. 0: parts never come so close.
    `override` forces every verdict until it is "auto" again; the scores are still taken.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    accept: tuple[str, ...] = ("ok",)
    budget: float = 0.1
    separation: float = 0.0
    override: Override = "auto"


@dataclass(frozen=True)
class Decision:
    """`label` and `score` are those that decided, None where no label counted.

    `margin` is by how much the scores would have to move for another verdict, 0 where none were taken: the smaller,
    the more doubtful. `hold`: seconds after the part's arrival before which the arm still serves the one before.
    """

    verdict: Verdict
    reason: Reason
    label: str | None = None
    score: float | None = None
    margin: float = 0.0
    hold: float = 0.0


def decide(
    rule: Rule, labels: Sequence[str], scores: Sequence[float] | None, elapsed: float, gap: float = math.inf
) -> Decision:
    """The verdict on one part: `scores` [labels], None where none could be taken; `elapsed` seconds since it arrived,
    `gap` seconds between the arrival of the one before and its own."""
    if scores is None:
        return Decision(rule.override if rule.override != "auto" else "ko", _forced(rule, "failed"))
    leads = {label: _lead(rule, labels, scores, index) for index, label in enumerate(labels)}
    for_it = max((lead for label, lead in leads.items() if label in rule.accept), default=-1.0)
    against = max((lead for label, lead in leads.items() if label not in rule.accept), default=-1.0)
    good = for_it >= 0 > against
    margin = min(for_it, -against) if good else max(-for_it, against)
    counting = [label for label, lead in leads.items() if lead >= 0 and (label in rule.accept) == good]
    label = max(counting, key=lambda each: scores[labels.index(each)], default=None)
    score = None if label is None else float(scores[labels.index(label)])
    if rule.override != "auto":
        return Decision(rule.override, "override", label, score, margin)
    hold = max(0.0, rule.separation - gap)
    if hold > rule.budget:
        return Decision("ko", "close", label, score, margin)
    if elapsed > rule.budget:
        return Decision("ko", "late", label, score, margin)
    return Decision("ok" if good else "ko", "unknown" if label is None else "class", label, score, margin, hold)


def _forced(rule: Rule, otherwise: Reason) -> Reason:
    return otherwise if rule.override == "auto" else "override"


def _lead(rule: Rule, labels: Sequence[str], scores: Sequence[float], index: int) -> float:
    """How far a label is above what makes it count; the first of several highest is the highest."""
    threshold = rule.thresholds.get(labels[index])
    if threshold is not None:
        return float(scores[index]) - threshold
    others = [float(score) for at, score in enumerate(scores) if at != index]
    lead = float(scores[index]) - max(others, default=0.0)
    tied_before = lead == 0 and float(scores[index]) in [float(score) for score in scores[:index]]
    return -1e-9 if tied_before else lead
