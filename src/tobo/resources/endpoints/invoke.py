"""InvokeEndpoint: the hot path. No store, no thread: route, replica, answer."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from tobo.hosting.base import Answer, Invocation, NoReplica
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.endpoints.api import KIND
from tobo.resources.endpoints.routes import ROUTES, Route, Traffic
from tobo.store.base import Key
from tobo.wire.body import Body

TIMEOUT_SECONDS = 60.0
"""A model's longest answer (API reference, InvokeEndpoint)."""

REPLACEMENT_SECONDS = 15.0
"""How long a request waits where all replicas of an endpoint in service are just being replaced."""

_PAUSE = 0.03


@operation("sagemaker-runtime", "InvokeEndpoint")
async def invoke_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The body goes to a replica and its answer comes back, both byte for byte.

    Raises Fault ValidationError (unknown or not in service), ModelError (the model's own error, with its status and
    text), ServiceUnavailable (no replica came back in time).
    """
    name = asked["EndpointName"]
    route = ROUTES.get((*call.space, name)) or await _await_route(call, name)
    variant = asked.get("TargetVariant") or route.pick()
    if all(variant != known for known, _ in route.variants):
        raise Fault(
            "ValidationError",
            f"Variant {variant} of endpoint {name} was not found; it has {', '.join(v for v, _ in route.variants)}.",
        )
    body = asked.get("Body", b"")
    invocation = Invocation(
        body.read() if isinstance(body, Body) else body,
        asked.get("ContentType", "application/octet-stream"),
        asked.get("Accept", "*/*"),
        asked.get("CustomAttributes", ""),
    )
    begin = time.perf_counter()
    answer = await _ask(call, f"{call.space.account}/{call.space.region}/{name}/{variant}", invocation)
    route.traffic.setdefault(variant, Traffic()).add(answer.status, (time.perf_counter() - begin) * 1e6)
    if answer.status >= 400:
        raise _model_error(call, name, variant, answer)
    found = {"Body": answer.body, "ContentType": answer.content_type, "InvokedProductionVariant": variant}
    if answer.custom_attributes:
        found["CustomAttributes"] = answer.custom_attributes
    return found


async def _ask(call: Call, group: str, invocation: Invocation) -> Answer:
    deadline = time.monotonic() + REPLACEMENT_SECONDS
    while True:
        try:
            return await call.context.hosting.invoke(group, invocation, TIMEOUT_SECONDS)
        except NoReplica:
            if time.monotonic() > deadline:
                raise Fault(
                    "ServiceUnavailable", "No replica of the endpoint answers; its logs say why.", 503
                ) from None
        except TimeoutError:
            raise _late() from None
        await asyncio.sleep(_PAUSE)


def _late() -> Fault:
    text = f"Your invocation timed out while waiting for a response of the model; it has {TIMEOUT_SECONDS:g} s."
    return Fault("ModelError", text, 424, {"OriginalStatusCode": 504, "OriginalMessage": text})


async def _await_route(call: Call, name: str) -> Route:
    """The route of an endpoint that the store says is in service: it is missing only right after a restart."""
    deadline = time.monotonic() + REPLACEMENT_SECONDS
    while True:
        row = await asyncio.to_thread(call.context.store.get, Key(call.space, KIND, name))
        if row is None or row.status != "InService":
            state = f"is {row.status}" if row else "not found"
            raise Fault("ValidationError", f"Endpoint {name} of account {call.space.account} {state}.")
        if route := ROUTES.get((*call.space, name)):
            return route
        if time.monotonic() > deadline:
            raise Fault("ServiceUnavailable", f"Endpoint {name} is not back in service yet; try again.", 503)
        await asyncio.sleep(_PAUSE)


def _model_error(call: Call, name: str, variant: str, answer: Answer) -> Fault:
    text = answer.body.decode("utf-8", "replace")
    who = "client" if answer.status < 500 else "server"
    return Fault(
        "ModelError",
        f'Received {who} error ({answer.status}) from {variant} with message "{text}". '
        f"See the log group /aws/sagemaker/Endpoints/{name} for more information.",
        424,
        {
            "OriginalStatusCode": answer.status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{call.space.region}:{call.space.account}:log-group:/aws/sagemaker/Endpoints/{name}",
        },
    )
