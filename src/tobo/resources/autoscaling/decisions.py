"""How many instances a variant shall have: target tracking, bounds, cooldowns. Pure; time is an argument.

Source: Application Auto Scaling User Guide, "How target tracking scaling works" and "Choose metrics".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

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
    cooldown_out: float = 300.0
    cooldown_in: float = 300.0
    scales_in: bool = True


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
    policy that may scale in wants fewer.
    """
    if now.current < now.least:
        return Decision(now.least, f"minimum capacity was set to {now.least}", by_policy=False)
    if now.current > now.most:
        return Decision(now.most, f"maximum capacity was set to {now.most}", by_policy=False)
    if now.current == 0:
        if now.waiting and now.most > 0 and not now.no_out:
            return Decision(1, "requests wait and there is no instance")
        return None
    return _out(now) or _in(now)


def _out(now: Situation) -> Decision | None:
    wishes = [(wanted, policy) for policy in now.policies if (wanted := _more(now, policy)) > now.current]
    if not wishes or now.no_out:
        return None
    wanted, policy = max(wishes, key=lambda wish: wish[0])
    return Decision(wanted, f"policy {policy.name}: {policy.metric} was {policy.late:g}, above {policy.target:g}")


def _more(now: Situation, policy: Tracked) -> int:
    """What a policy wants, never fewer than there are. In its cooldown only a step larger than the last one counts."""
    if policy.late is None or policy.late <= policy.target:
        return now.current
    wanted = min(now.most, _fitting(now.current, policy.late, policy.target))
    last = now.last_out
    if last is not None and now.now < last.at + policy.cooldown_out:
        return wanted if wanted - now.current > last.after - last.before else now.current
    return wanted


def _in(now: Situation) -> Decision | None:
    able = [policy for policy in now.policies if policy.scales_in]
    if not able or now.no_in:
        return None
    wanted = max(_fewer(now, policy) for policy in able)
    if wanted >= now.current:
        return None
    policy = max(able, key=lambda policy: _fewer(now, policy))
    return Decision(
        wanted, f"policy {policy.name}: {policy.metric} was {policy.long:g}, below {SLACK * policy.target:g}"
    )


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
