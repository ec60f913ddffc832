"""The operations on human loops. Source: API reference of Amazon Augmented AI, Start/Describe/List/Stop/DeleteHumanLoop."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.machine import advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.human_loops import states
from tobo.resources.human_loops.flows import flow_of
from tobo.store.base import Conflict, Key, Row

SERVICE = "sagemaker-a2i-runtime"
KIND = "human-loop"

_INPUT = ("FlowDefinitionArn", "HumanLoopInput", "DataAttributes")


def _loop(call: Call, asked: Mapping[str, Any]) -> str:
    return sagemaker_arn(call.space, KIND, asked["HumanLoopName"])


def _flow(call: Call, asked: Mapping[str, Any]) -> str:
    return str(asked["FlowDefinitionArn"])


@operation(SERVICE, "StartHumanLoop", resource=_flow)
def start_human_loop(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same loop again is the one that there is; the flow's settings count as they are now.

    Raises Fault ValidationException, ConflictException (this name, another input).
    """
    _check_input(asked["HumanLoopInput"]["InputContent"])
    try:
        flow = flow_of(call.context, call.space, asked["FlowDefinitionArn"])
    except Fault as fault:
        raise validation(fault.message) from None  # the model has no other error for it
    name = asked["HumanLoopName"]
    if flow["FlowDefinitionStatus"] != "Active":
        raise validation(
            f"The flow definition '{flow['FlowDefinitionName']}' is {flow['FlowDefinitionStatus']}; loops start while it is"
            " Active."
        )
    place = parse_s3_uri(flow["OutputConfig"]["S3OutputPath"], "OutputConfig.S3OutputPath")
    at = datetime.fromtimestamp(call.now, UTC)
    output = place.below(flow["FlowDefinitionName"], f"{at:%Y/%m/%d/%H/%M/%S}", name, "output.json")
    human = flow["HumanLoopConfig"]
    found = {
        "HumanLoopOutput": {"OutputS3Uri": str(output)},
        "_wanted": human["TaskCount"],
        "_until": call.now + human["TaskAvailabilityLifetimeInSeconds"],
    }
    try:
        row = add_row(call, KIND, name, asked, _taken, state="InProgress", found=found, todo=("offer", "follow"))
    except Fault:
        known = call.context.store.get(Key(call.space, KIND, name))
        if known is None or any(known.asked.get(member) != asked.get(member) for member in _INPUT):
            raise
        row = known
    return {"HumanLoopArn": row.arn}


@operation(SERVICE, "DescribeHumanLoop", resource=_loop)
def describe_human_loop(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read. Raises Fault ResourceNotFoundException."""
    row = _known(call, asked)
    return {**row.found, **_head(row), "HumanLoopArn": row.arn}


@operation(SERVICE, "ListHumanLoops", resource=_flow)
def list_human_loops(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those of one flow definition, newest first unless asked otherwise. Raises Fault ResourceNotFoundException."""
    arn = asked["FlowDefinitionArn"]
    flow_of(call.context, call.space, arn)
    return list_rows(call, KIND, asked, "HumanLoopSummaries", _summary, where={"FlowDefinitionArn": arn})


@operation(SERVICE, "StopHumanLoop", resource=_loop)
def stop_human_loop(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody begins with it any more; who is at it already may finish, and the loop is Stopping until then.

    Stopping a stopping loop changes nothing. Raises Fault ResourceNotFoundException, ValidationException.
    """

    def running() -> Row | None:
        row = _known(call, asked)
        if row.state in states.TERMINAL:
            raise validation(f"The human loop '{row.key.name}' is {row.status} already; there is nothing to stop.")
        return row if row.state == "InProgress" else None

    advance_fresh(call.context, running, "stop")
    return {}


@operation(SERVICE, "DeleteHumanLoop", resource=_loop)
def delete_human_loop(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was written to S3 stays. Raises Fault ResourceNotFoundException, ValidationException where it is not over."""
    while True:
        row = _known(call, asked)
        if row.state not in states.TERMINAL or row.todo:
            raise validation(f"The human loop '{row.key.name}' is {row.status}; stop it with StopHumanLoop first.")
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
        call.context.tasks.forget(row.asked["FlowDefinitionArn"], [row.id])
        return {}


def output_uri(row: Row) -> S3Uri:
    return parse_s3_uri(row.found["HumanLoopOutput"]["OutputS3Uri"], "OutputS3Uri")


def _check_input(text: str) -> None:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise validation(f"HumanLoopInput.InputContent is not JSON ({error}): {text[:80]}") from None
    if not isinstance(told, dict):
        raise validation(
            f"HumanLoopInput.InputContent is no JSON object, which a template's task.input is: {text[:80]}"
        )


def _head(row: Row) -> dict[str, Any]:
    return {
        "HumanLoopName": row.key.name,
        "HumanLoopStatus": row.status,
        "CreationTime": row.created,
        "FlowDefinitionArn": row.asked["FlowDefinitionArn"],
    }


def _summary(row: Row) -> dict[str, Any]:
    reason = row.found.get("FailureReason")
    return {**_head(row), **({"FailureReason": reason} if reason else {})}


def _known(call: Call, asked: Mapping[str, Any]) -> Row:
    return known_row(call, KIND, asked["HumanLoopName"], _missing)


def _taken(arn: str) -> Fault:
    return Fault(
        "ConflictException",
        f"There is a human loop of this name with another input already ({arn}); choose another name.",
    )


def _missing(arn: str) -> Fault:
    name = arn.rsplit("/", 1)[-1]
    return Fault(
        "ResourceNotFoundException",
        f"There is no human loop '{name}'; ListHumanLoops tells those of a flow definition.",
    )
