"""How many instances a variant shall have: target tracking, step scaling, bounds, cooldowns. Pure; time is an argument.

Source: Application Auto Scaling User Guide, "How target tracking scaling works", "Choose metrics", "How step scaling works".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tobo.resources.autoscaling.steps import Adjustment

COOLDOWN = 300.0
"""Seconds of a cooldown that is not given (API reference, for SageMaker's variants)."""

SLACK = 0.9
"""Below this part of its target a metric asks for fewer instances; in between nothing happens, lest capacity swings."""


@dataclass(frozen=True)
class Tracked:
    """A target tracking policy with what its metric says for each instance: of late, and over a long while.

    None: it says nothing. `cooldown_out` and `cooldown_in` in seconds; `scales_in` is not DisableScaleIn.
    """

    name: str
    metric: str
    target: float
    late: float | None
    long: float | None
    cooldown_out: float = COOLDOWN
    cooldown_in: float = COOLDOWN
    scales_in: bool = True


@dataclass(frozen=True)
class Stepped:
    """A step scaling policy that an alarm in `state` has called, with the step that the metric is in."""

    name: str
    alarm: str
    state: str
    step: Adjustment
    cooldown: float = COOLDOWN

    @property
    def cause(self) -> str:
        """As AWS words it."""
        return f"monitor alarm {self.alarm} in state {self.state} triggered policy {self.name}"


@dataclass(frozen=True)
class Change:
    """A change of capacity that a policy made; `at` in epoch seconds."""

    at: float
    before: int
    after: int


@dataclass(frozen=True)
class Situation:
    """A variant at one moment. `waiting`: requests or a backlog are there and no instance is.

    `last_out`, `last_in`: the last changes that policies made.
    """

    now: float
    current: int
    least: int
    most: int
    policies: Sequence[Tracked] = field(default_factory=tuple)
    stepped: Sequence[Stepped] = field(default_factory=tuple)
    waiting: bool = False
    no_out: bool = False
    no_in: bool = False
    last_out: Change | None = None
    last_in: Change | None = None


@dataclass(frozen=True)
class Decision:
    """What shall be, and why. `by_policy` False: the bounds want it, which begins no cooldown."""

    capacity: int
    cause: str
    by_policy: bool = True


def decide(now: Situation) -> Decision | None:
    """None: all stays as it is.

    Bounds come first and wait for nothing. The policy that wants most wins; fewer instances are there only when every
    tracking policy that may scale in wants fewer, or an alarm asks for it.
    """
    if now.current < now.least:
        return Decision(now.least, f"minimum capacity was set to {now.least}", by_policy=False)
    if now.current > now.most:
        return Decision(now.most, f"maximum capacity was set to {now.most}", by_policy=False)
    if (more := _out(now)) is not None:
        return more
    if now.current == 0 and now.waiting and now.most > 0 and not now.no_out:
        return Decision(1, "requests wait and there is no instance")
    return _in(now)


def _out(now: Situation) -> Decision | None:
    wishes = [
        Decision(wanted, f"policy {policy.name}: {policy.metric} was {policy.late:g}, above {policy.target:g}")
        for policy in now.policies
        if (wanted := _more(now, policy)) > now.current
    ]
    wishes += [
        Decision(wanted, policy.cause) for policy in now.stepped if (wanted := _step_more(now, policy)) > now.current
    ]
    return None if now.no_out else max(wishes, key=lambda wish: wish.capacity, default=None)


def _more(now: Situation, policy: Tracked) -> int:
    """What a policy wants, never fewer than there are. In its cooldown only a step larger than the last one counts."""
    if policy.late is None or policy.late <= policy.target:
        return now.current
    wanted = min(now.most, _fitting(now.current, policy.late, policy.target))
    last = now.last_out
    if last is not None and now.now < last.at + policy.cooldown_out:
        return wanted if wanted - now.current > last.after - last.before else now.current
    return wanted


def _step_more(now: Situation, policy: Stepped) -> int:
    """What a step asks for. In its cooldown what the last change has added is a part of it."""
    last = now.last_out
    cooling = last is not None and now.now < last.at + policy.cooldown
    return min(now.most, policy.step.of(last.before if last is not None and cooling else now.current))


def _in(now: Situation) -> Decision | None:
    if now.no_in:
        return None
    wishes = [
        Decision(wanted, policy.cause) for policy in now.stepped if (wanted := _step_fewer(now, policy)) < now.current
    ]
    able = [policy for policy in now.policies if policy.scales_in]
    policy = max(able, key=lambda policy: _fewer(now, policy), default=None)
    if policy is not None and (wanted := _fewer(now, policy)) < now.current:
        told = f"policy {policy.name}: {policy.metric} was {policy.long:g}, below {SLACK * policy.target:g}"
        wishes.append(Decision(wanted, told))
    return max(wishes, key=lambda wish: wish.capacity, default=None)


def _step_fewer(now: Situation, policy: Stepped) -> int:
    """What a step asks for, never below the bound; nothing in its cooldown."""
    if now.last_in is not None and now.now < now.last_in.at + policy.cooldown:
        return now.current
    return max(now.least, policy.step.of(now.current))


def _fewer(now: Situation, policy: Tracked) -> int:
    """What a policy wants, never more than there are."""
    if policy.long is None or policy.long >= SLACK * policy.target:
        return now.current
    if now.last_in is not None and now.now < now.last_in.at + policy.cooldown_in:
        return now.current
    return max(now.least, min(now.current, _fitting(now.current, policy.long, policy.target)))


def _fitting(current: int, value: float, target: float) -> int:
    """The instances with which a metric that shares itself among them would be at its target or just below."""
    return math.ceil(current * value / target - 1e-9)
