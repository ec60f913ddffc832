"""InvokeEndpointAsync: accepts a request into the endpoint's backlog, on the disk before the answer leaves."""

import base64
import uuid
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.endpoints.backlog import kind_of
from tobo.resources.endpoints.invoke import answering_row
from tobo.resources.endpoints.routes import ROUTES
from tobo.store.base import Key, Row
from tobo.wire.body import Body

REQUEST_TTL_SECONDS, INVOCATION_TIMEOUT_SECONDS = 21_600, 900
"""AWS's defaults (API reference, InvokeEndpointAsync)."""


@operation("sagemaker-runtime", "InvokeEndpointAsync")
def invoke_endpoint_async(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answers with the places of the output and, where the endpoint has an S3FailurePath, of the failure.

    Raises Fault ValidationError where the endpoint is unknown, not in service or not asynchronous, or the request has no
    input or two.
    """
    name = asked["EndpointName"]
    endpoint = answering_row(call, name)
    config = endpoint.found["_fleet"].get("AsyncInferenceConfig")
    if config is None:
        raise Fault(
            "ValidationError",
            f"Endpoint {name} has no AsyncInferenceConfig and answers at once; use InvokeEndpoint.",
        )
    number = str(uuid.uuid4())
    kept = _kept(asked)
    found = _places(config["OutputConfig"], asked, number)
    row = Row(
        key=Key(call.space, kind_of(endpoint), number),
        arn=f"{endpoint.arn}/async-invocation/{number}",
        asked={"InferenceId": number, **kept},
        found=found,
        status="Queued",
        state="Queued",
        created=call.now,
        modified=call.now,
    )
    call.context.store.insert(row)
    route = ROUTES.get((*call.space, name))
    if route is not None and route.backlog is not None:
        route.backlog.ring()
    return {"InferenceId": row.asked["InferenceId"], **found}


def _kept(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the row says of the request; a payload that came with it as base64 text."""
    kept = {
        "RequestTTLSeconds": REQUEST_TTL_SECONDS,
        "InvocationTimeoutSeconds": INVOCATION_TIMEOUT_SECONDS,
        **{member: value for member, value in asked.items() if member not in ("EndpointName", "Body")},
    }
    body = asked.get("Body", b"")
    data = body.read() if isinstance(body, Body) else body
    if bool(data) == ("InputLocation" in asked):
        raise Fault(
            "ValidationError",
            "A request has either an InputLocation or a Body; "
            + ("this one has both: leave one out." if data else "this one has neither."),
        )
    if data:
        kept["Body"] = base64.b64encode(data).decode()
    else:
        _address(asked["InputLocation"], "InputLocation")
    return kept


def _places(output: Mapping[str, Any], asked: Mapping[str, Any], number: str) -> dict[str, str]:
    """OutputLocation and FailureLocation: `<path>[/<S3OutputPathExtension>]/<number>.out` and `-error.out`."""
    extension = [part for part in asked.get("S3OutputPathExtension", "").split("/") if part]
    if ".." in extension or "." in extension:
        raise Fault("ValidationError", f"S3OutputPathExtension '{'/'.join(extension)}' may not hold '.' or '..' alone.")
    file, failure = asked.get("Filename", f"{number}.out"), f"{number}-error.out"
    places = {"OutputLocation": str(_address(output["S3OutputPath"], "S3OutputPath").below(*extension, file))}
    if output.get("S3FailurePath"):
        places["FailureLocation"] = str(_address(output["S3FailurePath"], "S3FailurePath").below(*extension, failure))
    return places


def _address(text: str, place: str) -> S3Uri:
    try:
        return parse_s3_uri(text, place)
    except Fault as fault:
        raise Fault("ValidationError", fault.message) from None
