"""What the controller does for scalable targets and scheduled actions; each command is safe to repeat.

One look at a target reads its policies and their metrics and decides; a change goes through
UpdateEndpointWeightsAndCapacities like anybody's, and is followed until the endpoint has settled.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.rows import rows_of
from tobo.resources.autoscaling import states
from tobo.resources.autoscaling.activities import begin_activity, end_activity, ordinal_of
from tobo.resources.autoscaling.calls import answered, stepped
from tobo.resources.autoscaling.decisions import Change, Situation, decide
from tobo.resources.autoscaling.measuring import tracked, work_waits
from tobo.resources.autoscaling.requests import TRACKING_CONFIGURATION
from tobo.resources.autoscaling.resource import (
    ACTIONS,
    INSTANCES,
    POLICIES,
    SAGEMAKER,
    SERVICE,
    TARGETS,
    Variant,
    variant_of,
)
from tobo.resources.autoscaling.scheduled import following_time
from tobo.resources.autoscaling.targets import forget_target
from tobo.store.base import Key, Row

SETTLE_SECONDS = 0.1
ASLEEP_SECONDS = 0.5
"""Between two looks at a variant without instances: a part of what its first request waits."""

REST_SECONDS = 60.0
"""After a change that failed, unless somebody registers the target anew."""

LONGEST_WAIT = 30.0
"""Between two looks at the clock, which may be set."""


def follow(context: Context, row: Row) -> Outcome:
    """One look; nothing is changed while the endpoint is being changed by others."""
    variant = variant_of(row.key.name)
    period = context.settings.scaling_period_seconds
    endpoint = _endpoint(context, row, variant)
    if endpoint is None:
        return _forget(context, row)
    current = _capacity(endpoint, variant)
    resting = context.clock.now() < row.found.get("_failed_at", 0.0) + REST_SECONDS
    if current is None or endpoint["EndpointStatus"] != "InService" or resting:
        return Again(period)
    policies = list(rows_of(context.store, row.key.space, POLICIES, f"{row.key.name}/"))
    paused = _is_paused(row, current)
    heard = {"_answered": answered(policies), "_seen": current, "_paused": paused}
    if paused:
        return Again(period, _news(row, heard))
    if (decision := decide(_situation(context, row, variant, current, policies))) is not None:
        change = {"before": current, "after": decision.capacity, "cause": decision.cause}
        change |= {"by_policy": decision.by_policy}
        return Happened("decided", {"_change": change, "_activities": row.found.get("_activities", 0) + 1, **heard})
    asleep = current == 0 and row.asked["MaxCapacity"] > 0
    pause = min(period, ASLEEP_SECONDS) if asleep else period
    return Again(pause, _news(row, heard))


def _is_paused(row: Row, current: int) -> bool:
    """Whether somebody has taken all instances away, which policies would never do above a MinCapacity of 1 or more.

    It holds until somebody gives the variant instances, or registers the target anew.
    """
    taken = row.found.get("_seen", 0) > 0 and row.asked["MinCapacity"] > 0
    return current == 0 and (taken or row.found.get("_paused", False))


def _news(row: Row, heard: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """None where the row knows it all: nothing is written at each look."""
    return None if heard.items() <= row.found.items() else heard


def begin(context: Context, row: Row) -> Outcome:
    """Writes the activity down."""
    change = row.found["_change"]
    wanted = f"Setting desired instance count to {change['after']}."
    begin_activity(context, row, ordinal_of(row), wanted, change["cause"])
    return Done()


def change(context: Context, row: Row) -> Outcome:
    """Asks for the new count, unless that was done already; a refusal ends the activity."""
    variant, wanted = variant_of(row.key.name), row.found["_change"]["after"]
    endpoint = _endpoint(context, row, variant)
    if endpoint is not None and _capacity(endpoint, variant) == wanted:
        return Done()
    wish = {"VariantName": variant.name, "DesiredInstanceCount": wanted}
    try:
        context.as_house(
            row.key.space,
            "sagemaker",
            "UpdateEndpointWeightsAndCapacities",
            EndpointName=variant.endpoint,
            DesiredWeightsAndCapacities=[wish],
        )
    except Fault as fault:
        return _settled(context, row, "Failed", f"Failed to set desired instance count to {wanted}. {fault.message}")
    return Done()


def settle(context: Context, row: Row) -> Outcome:
    """Until the endpoint has settled, with the new count or, where replicas did not start, without."""
    variant, wanted = variant_of(row.key.name), row.found["_change"]["after"]
    endpoint = _endpoint(context, row, variant)
    if endpoint is None:
        return _settled(context, row, "Failed", f"The endpoint {variant.endpoint} was deleted.")
    if endpoint["EndpointStatus"] not in ("InService", "Failed"):
        return Again(SETTLE_SECONDS)
    if _capacity(endpoint, variant) != wanted:
        reason = endpoint.get("FailureReason", "Somebody else has changed it.")
        return _settled(context, row, "Failed", f"Failed to set desired instance count to {wanted}. {reason}")
    told = f"Successfully set desired instance count to {wanted}. Change successfully fulfilled by sagemaker."
    return _settled(context, row, "Successful", told)


def end(context: Context, row: Row) -> Outcome:
    """For a change that ended in a bug of ours."""
    end_activity(context, row, ordinal_of(row), "Failed", row.found["_failed"])
    return Done()


def rest(context: Context, row: Row) -> Outcome:
    """A minute from the failure on."""
    left = row.modified + REST_SECONDS - context.clock.now()
    return Again(left) if left > 0 else Happened("rested")


def wait(context: Context, row: Row) -> Outcome:
    """Until an action's time has come; for ever where it has none any more."""
    time = row.found["_next"]
    if time is None:
        return Done()
    left = time - context.clock.now()
    return Again(min(left, LONGEST_WAIT)) if left > 0 else Happened("came")


def act(context: Context, row: Row) -> Outcome:
    """Sets the bounds that the action says, unless the target's ScheduledScalingSuspended is on.

    A time that went by while no server ran is caught up once.
    """
    target = context.store.get(Key(row.key.space, TARGETS, row.asked["ResourceId"]))
    if target is not None and not target.asked["SuspendedState"]["ScheduledScalingSuspended"]:
        _set_bounds(context, row, target)
    return Happened("acted", {"_next": following_time(row.asked, row.found["_begin"], context.clock.now())})


def _set_bounds(context: Context, row: Row, target: Row) -> None:
    """Of one bound alone the other one gives way (User Guide, "Scheduled scaling")."""
    action: Mapping[str, int] = row.asked["ScalableTargetAction"]
    least = action.get("MinCapacity", min(target.asked["MinCapacity"], action.get("MaxCapacity", 0)))
    most = action.get("MaxCapacity", max(target.asked["MaxCapacity"], least))
    space = row.key.space
    context.as_house(
        space,
        SERVICE,
        "RegisterScalableTarget",
        ServiceNamespace=SAGEMAKER,
        ResourceId=target.key.name,
        ScalableDimension=INSTANCES,
        MinCapacity=least,
        MaxCapacity=most,
    )
    ordinal, told = f"{row.id}-{int(row.found['_next'])}", f"min capacity to {least} and max capacity to {most}"
    cause = f"scheduled action name {row.asked['ScheduledActionName']} was triggered"
    begin_activity(context, target, ordinal, f"Setting {told}", cause)
    end_activity(context, target, ordinal, "Successful", f"Successfully set {told}")


def _situation(context: Context, row: Row, variant: Variant, current: int, policies: Sequence[Row]) -> Situation:
    changed = row.found.get("_changed", row.created)
    tracking = [policy for policy in policies if TRACKING_CONFIGURATION in policy.asked] if current else []
    suspended = row.asked["SuspendedState"]
    last = {name: Change(**row.found[name]) for name in ("_last_out", "_last_in") if row.found.get(name)}
    return Situation(
        now=context.clock.now(),
        current=current,
        least=row.asked["MinCapacity"],
        most=row.asked["MaxCapacity"],
        policies=[tracked(context, policy, variant, current, changed) for policy in tracking],
        stepped=stepped(policies, row, changed),
        waiting=current == 0 and work_waits(context, row, variant, changed),
        no_out=suspended["DynamicScalingOutSuspended"],
        no_in=suspended["DynamicScalingInSuspended"],
        last_out=last.get("_last_out"),
        last_in=last.get("_last_in"),
    )


def _settled(context: Context, row: Row, status: str, message: str) -> Outcome:
    """The end of an activity; a policy's success begins its cooldown, a failure a rest."""
    end_activity(context, row, ordinal_of(row), status, message)
    change, now = row.found["_change"], context.clock.now()
    found: dict[str, Any] = {"_change": None, "_changed": now}
    if status == "Failed":
        found["_failed_at"] = now
    else:
        found["_seen"] = change["after"]
    if status != "Failed" and change["by_policy"]:
        out = change["after"] > change["before"]
        found["_last_out" if out else "_last_in"] = {"at": now, "before": change["before"], "after": change["after"]}
    return Happened("settled", found)


def _endpoint(context: Context, row: Row, variant: Variant) -> Mapping[str, Any] | None:
    """Its description; None where it is gone."""
    space = row.key.space
    try:
        described: Mapping[str, Any] = context.as_house(
            space,
            "sagemaker",
            "DescribeEndpoint",
            EndpointName=variant.endpoint,
        )
    except Fault:
        return None
    return None if described["EndpointStatus"] == "Deleting" else described


def _capacity(endpoint: Mapping[str, Any], variant: Variant) -> int | None:
    """What the variant shall have; None where an update has left it out, or made it serverless."""
    found = (v.get("DesiredInstanceCount") for v in endpoint["ProductionVariants"] if v["VariantName"] == variant.name)
    return next(found, None)


def _forget(context: Context, row: Row) -> Outcome:
    """The endpoint was deleted, and the target goes with it."""
    return Done() if forget_target(context, row) else Again(SETTLE_SECONDS)


register(
    Machine(
        TARGETS,
        states.TARGET,
        dict.fromkeys(("Following", "Scaling", "Resting"), ""),
        (follow, begin, change, settle, end, rest),
        states.on_target_step,
    )
)
register(
    Machine(
        ACTIONS,
        states.ACTION,
        dict.fromkeys(("Waiting", "Acting", "Failed"), ""),
        (wait, act),
    )
)
