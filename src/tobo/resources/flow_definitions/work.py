"""What the controller does for a flow definition; each command is safe to repeat."""

from typing import Any

from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.flow_definitions import states
from tobo.resources.flow_definitions.api import KIND
from tobo.store.base import Row

POLL_SECONDS = 1.0


def verify(context: Context, row: Row) -> Outcome:
    """A place that answers cannot be written to is told now, not after the first answer."""
    uri = parse_s3_uri(row.asked["OutputConfig"]["S3OutputPath"], "OutputConfig.S3OutputPath")
    try:
        context.as_house(row.key.space, "s3", "HeadBucket", Bucket=uri.bucket)
    except Fault:
        return Happened(
            "failed",
            message=f"There is no bucket '{uri.bucket}' for OutputConfig.S3OutputPath; create it, then the flow definition"
            " anew.",
        )
    return Happened("verified")


def remove(context: Context, row: Row) -> Outcome:
    """The loops that are left are stopped and, when over, deleted; at last the flow definition itself."""
    space, left = row.key.space, False
    asked: dict[str, Any] = {"FlowDefinitionArn": row.arn, "MaxResults": 100}
    while True:
        page = context.as_house(space, "sagemaker-a2i-runtime", "ListHumanLoops", **asked)
        for loop in page["HumanLoopSummaries"]:
            left = True
            if loop["HumanLoopStatus"] in ("InProgress", "Stopping"):
                _ask(context, row, "StopHumanLoop", loop["HumanLoopName"])
            else:
                _ask(context, row, "DeleteHumanLoop", loop["HumanLoopName"])
        if "NextToken" not in page:
            break
        asked["NextToken"] = page["NextToken"]
    if left:
        return Again(POLL_SECONDS)
    context.tasks.forget(row.arn)
    context.store.delete(row)
    return Done()


def _ask(context: Context, row: Row, operation: str, loop: str) -> None:
    """A loop that has moved on meanwhile is seen again in the next round."""
    try:
        context.as_house(row.key.space, "sagemaker-a2i-runtime", operation, HumanLoopName=loop)
    except Fault as fault:
        if fault.code not in ("ResourceNotFoundException", "ValidationException"):
            raise


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(verify, remove),
        on_step=lambda row, step, now, message: {"FailureReason": message[:1024]} if step.state == "Failed" else {},
    )
)
