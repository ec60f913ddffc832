"""SendPipelineExecutionStepSuccess and -Failure: the answers that Callback steps wait for.

On AWS the step's token goes to a queue of SQS; here it stands in the step's Metadata, which ListPipelineExecutionSteps tells.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.pipelines.api import EXECUTION
from tobo.store.base import Query, Row, every_row


def _arn(call: Call, asked: Mapping[str, Any]) -> str:
    return _waiting(call, asked["CallbackToken"]).arn


@operation("sagemaker", "SendPipelineExecutionStepSuccess", resource=_arn)
def send_step_success(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The step succeeds with these output parameters. Raises Fault ResourceNotFound where none waits for the token."""
    given = asked.get("OutputParameters", [])
    return _answer(call, asked["CallbackToken"], given, {"StepStatus": "Succeeded"})


@operation("sagemaker", "SendPipelineExecutionStepFailure", resource=_arn)
def send_step_failure(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The step fails for this reason. Raises Fault ResourceNotFound where none waits for the token."""
    reason = asked.get("FailureReason") or "Its callback says that it has failed."
    return _answer(call, asked["CallbackToken"], [], {"StepStatus": "Failed", "FailureReason": reason})


def _answer(call: Call, token: str, given: list[dict[str, str]], end: Mapping[str, Any]) -> dict[str, Any]:
    def changed(row: Row) -> dict[str, Any]:
        steps = [dict(step) for step in row.found["_steps"]]
        step = next(step for step in steps if _token(step) == token)
        step |= {**end, "EndTime": call.now, "_answers": {one["Name"]: one["Value"] for one in given}}
        step["Metadata"] = {"Callback": {**step["Metadata"]["Callback"], "OutputParameters": given}}
        return {"found": {**row.found, "_steps": steps}}

    row = change_row(call, lambda: _waiting(call, token), "answered", changed)
    call.context.wake(row)
    return {"PipelineExecutionArn": row.arn}


def _waiting(call: Call, token: str) -> Row:
    """The execution whose step waits for an answer to this token."""
    for row in every_row(call.context.store, Query(call.space, EXECUTION, status="Executing")):
        for step in row.found.get("_steps", []):
            if _token(step) == token and step["StepStatus"] == "Executing":
                return row
    raise Fault("ResourceNotFound", f"No step waits for the callback token '{token}' (any more).")


def _token(step: Mapping[str, Any]) -> str:
    found: str = step["Metadata"].get("Callback", {}).get("CallbackToken", "")
    return found
