"""What is scaled: a variant of an endpoint, as Application Auto Scaling addresses it; and the lists of what belongs to it."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tobo.kit.arn import Arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_among
from tobo.operations.rows import rows_of
from tobo.store.base import Key, Row

SERVICE = "application-autoscaling"
TARGETS, POLICIES, ACTIONS, ACTIVITIES = "scalable-target", "scaling-policy", "scheduled-action", "scaling-activity"
"""The kinds of rows."""

SAGEMAKER, INSTANCES = "sagemaker", "sagemaker:variant:DesiredInstanceCount"

PAGE = 50
"""Of every Describe, and the most that MaxResults may be (API reference)."""

_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")


class Variant(NamedTuple):
    """A variant of an endpoint; as a text `endpoint/NAME/variant/VARIANT`."""

    endpoint: str
    name: str

    def __str__(self) -> str:
        return f"endpoint/{self.endpoint}/variant/{self.name}"


def scaled_variant(asked: Mapping[str, Any]) -> Variant:
    """The variant that a request names. Raises Fault ValidationException where it names something else."""
    if asked["ServiceNamespace"] != SAGEMAKER:
        raise validation(f"The service namespace '{asked['ServiceNamespace']}' is not served here; use {SAGEMAKER}.")
    if asked["ScalableDimension"] != INSTANCES:
        raise validation(f"The scalable dimension '{asked['ScalableDimension']}' is not scaled here; use {INSTANCES}.")
    return variant_of(asked["ResourceId"])


def variant_of(resource: str) -> Variant:
    """Reads a ResourceId; raises Fault ValidationException."""
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        raise validation(
            f"The resource ID '{resource}' is not that of a variant; expected endpoint/NAME/variant/VARIANT."
        )
    return Variant(match[1], match[2])


def named(asked: Mapping[str, Any]) -> str:
    """How messages name what a request is about."""
    return (
        f"service namespace: {asked['ServiceNamespace']}, resource ID: {asked['ResourceId']}, "
        f"scalable dimension: {asked['ScalableDimension']}"
    )


def known_target(call: Call, asked: Mapping[str, Any]) -> Row:
    """The scalable target that a request is about; raises Fault ObjectNotFoundException."""
    row = call.context.store.get(Key(call.space, TARGETS, str(scaled_variant(asked))))
    if row is None:
        raise not_found(f"No scalable target registered for {named(asked)}")
    return row


def not_found(message: str) -> Fault:
    return Fault("ObjectNotFoundException", message)


def arn_of(call: Call, kind: str, variant: Variant, name: str) -> str:
    """`arn:aws:autoscaling:...:<kind>:<uuid>:resource/sagemaker/<variant>:<name>`, as policies and scheduled actions have."""
    place = f"{kind}:{uuid.uuid4()}:resource/{SAGEMAKER}/{variant}:{name}"
    return str(Arn("autoscaling", call.space.region, call.space.account, place))


def describe_rows(
    call: Call,
    kind: str,
    asked: Mapping[str, Any],
    member: str,
    summary: Callable[[Row], dict[str, Any]],
    names: Callable[[Row], bool] = lambda row: True,
    exactly: Sequence[str] = (),
    newest_first: bool = False,
) -> dict[str, Any]:
    """A page of the rows of a kind that fit ResourceId, ScalableDimension and `names`; of those called `exactly` so, if any.

    Raises Fault ValidationException for a MaxResults out of bounds, InvalidNextTokenException for a token of another list.
    """
    if not 1 <= asked.get("MaxResults", PAGE) <= PAGE:
        raise validation(f"MaxResults {asked['MaxResults']} is not between 1 and {PAGE}.")
    resource, dimension = asked.get("ResourceId"), asked.get("ScalableDimension", INSTANCES)
    if resource and "ScalableDimension" not in asked:
        raise validation(f"ResourceId '{resource}' is given without a ScalableDimension; give {INSTANCES} with it.")
    found: list[Row] = []
    if asked["ServiceNamespace"] == SAGEMAKER and dimension == INSTANCES:
        prefix = "" if resource is None else f"{resource}/"
        rows = rows_of(call.context.store, call.space, kind, prefix)
        if exactly:
            rows = (row for name in set(exactly) if (row := call.context.store.get(Key(call.space, kind, name))))
        found = [row for row in rows if names(row)]
    try:
        return list_among(kind, asked, member, summary, found, PAGE, newest_first)
    except Fault as fault:
        raise Fault("InvalidNextTokenException", fault.message) from None
