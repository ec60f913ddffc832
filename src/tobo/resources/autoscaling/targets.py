"""The operations on scalable targets. Source: Application Auto Scaling API reference, RegisterScalableTarget and its siblings."""

import uuid
from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Arn
from tobo.kit.fault import validation
from tobo.operations.auditing import HOUSE
from tobo.operations.context import Call, Context
from tobo.operations.registry import operation
from tobo.operations.rows import rows_of
from tobo.resources.autoscaling.activities import end_activity, ordinal_of
from tobo.resources.autoscaling.resource import (
    ACTIONS,
    INSTANCES,
    POLICIES,
    SAGEMAKER,
    SERVICE,
    TARGETS,
    Variant,
    describe_rows,
    named,
    not_found,
    scaled_variant,
)
from tobo.resources.autoscaling.tagging import check_tags
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

_SWITCHES = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")

_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
"""What AWS takes whatever RoleARN says: the service's own role."""


@operation(SERVICE, "RegisterScalableTarget")
def register_scalable_target(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A new target, or other bounds for one that is there; what is not given stays.

    Raises Fault ValidationException where there is no such variant, it is serverless, or the bounds are none.
    """
    variant = scaled_variant(asked)
    key = Key(call.space, TARGETS, str(variant))
    while True:
        row = call.context.store.get(key)
        try:
            row = _changed(call, row, asked) if row else _added(call, key, variant, asked)
        except (AlreadyExists, Conflict):
            continue
        call.context.wake(row)
        return {"ScalableTargetARN": row.arn}


@operation(SERVICE, "DescribeScalableTargets")
def describe_scalable_targets(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of the given resources, or all; the oldest first."""
    wanted = asked.get("ResourceIds", ())
    return describe_rows(call, TARGETS, asked, "ScalableTargets", _described, exactly=wanted)


@operation(SERVICE, "DeregisterScalableTarget")
def deregister_scalable_target(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With its policies and scheduled actions; the instances stay as they are, activities can still be described."""
    key = Key(call.space, TARGETS, str(scaled_variant(asked)))
    while True:
        row = call.context.store.get(key)
        if row is None:
            raise not_found(f"No scalable target found for {named(asked)}")
        if forget_target(call.context, row):
            told = "The scalable target was deregistered meanwhile."
            end_activity(call.context, row, ordinal_of(row), "Failed", told)
            return {}


def forget_target(context: Context, row: Row) -> bool:
    """Deletes a target and what belongs to it, itself at last; False where something of it was changed meanwhile."""
    try:
        for kind in (POLICIES, ACTIONS):
            for owned in rows_of(context.store, row.key.space, kind, f"{row.key.name}/"):
                context.store.delete(owned)
        context.store.delete(row)
    except Conflict:
        return False
    return True


def check_bounds(least: int, most: int) -> None:
    """Raises Fault ValidationException."""
    if least < 0:
        raise validation(f"MinCapacity {least} is below 0.")
    if most < least:
        raise validation(f"MaxCapacity {most} is below MinCapacity {least}; raise the one or lower the other.")


def _added(call: Call, key: Key, variant: Variant, asked: Mapping[str, Any]) -> Row:
    if missing := [member for member in ("MinCapacity", "MaxCapacity") if member not in asked]:
        raise validation(f"{' and '.join(missing)} must be given where {key.name} is registered for the first time.")
    check_bounds(asked["MinCapacity"], asked["MaxCapacity"])
    instances = _instances(call, variant)
    tags = asked.get("Tags", {})
    arn = Arn(SERVICE, call.space.region, call.space.account, f"scalable-target/{uuid.uuid4().hex}")
    check_tags(str(arn), tags)
    row = Row(
        key=key,
        arn=str(arn),
        asked={
            "MinCapacity": asked["MinCapacity"],
            "MaxCapacity": asked["MaxCapacity"],
            "SuspendedState": {**dict.fromkeys(_SWITCHES, False), **asked.get("SuspendedState", {})},
        },
        found={"_seen": instances},
        status="",
        state="Following",
        created=call.now,
        modified=call.now,
        tags=tags,
        due=call.now,
        todo=("follow",),
    )
    return call.context.store.insert(row, Event(call.now, "registered", row.state))


def _changed(call: Call, row: Row, asked: Mapping[str, Any]) -> Row:
    """Raises Conflict where somebody else was first."""
    if asked.get("Tags"):
        raise validation(f"The scalable target {row.key.name} is registered already; tag it with TagResource.")
    bounds = {member: asked.get(member, row.asked[member]) for member in ("MinCapacity", "MaxCapacity")}
    check_bounds(bounds["MinCapacity"], bounds["MaxCapacity"])
    suspended = {**row.asked["SuspendedState"], **asked.get("SuspendedState", {})}
    by_the_clock = call.principal.arn == HOUSE  # a scheduled action, which does not end what a person has paused
    changes = {
        "asked": {**row.asked, **bounds, "SuspendedState": suspended},
        "found": {**row.found, "_failed_at": 0.0, "_paused": by_the_clock and row.found.get("_paused", False)},
    }
    return call.context.store.update(row, Event(call.now, "registered", row.state), **changes)


def _instances(call: Call, variant: Variant) -> int:
    """How many the variant shall have now. Raises Fault ValidationException where it cannot be scaled."""
    described = call.call("sagemaker", "DescribeEndpoint", EndpointName=variant.endpoint)
    found = next((v for v in described["ProductionVariants"] if v["VariantName"] == variant.name), None)
    if found is None:
        known = ", ".join(v["VariantName"] for v in described["ProductionVariants"])
        raise validation(f"The endpoint {variant.endpoint} has no variant '{variant.name}'; it has {known}.")
    if "DesiredInstanceCount" not in found:
        raise validation(f"The variant '{variant.name}' is serverless: it follows its load without a scalable target.")
    return int(found["DesiredInstanceCount"])


def _described(row: Row) -> dict[str, Any]:
    return {
        "ServiceNamespace": SAGEMAKER,
        "ResourceId": row.key.name,
        "ScalableDimension": INSTANCES,
        **row.asked,
        "RoleARN": _ROLE.format(account=row.key.space.account),
        "CreationTime": row.created,
        "ScalableTargetARN": row.arn,
    }
