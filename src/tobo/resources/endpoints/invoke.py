"""InvokeEndpoint: the hot path. No store, no thread: route, replica, answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from tobo.hosting.base import MOST_LOST, Answer, Invocation, NoReplica
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.endpoints.api import KIND
from tobo.resources.endpoints.routes import ROUTES, Route, Target
from tobo.resources.endpoints.shadows import copy_to_shadows
from tobo.resources.endpoints.traffic import Traffic
from tobo.store.base import Key, Row
from tobo.wire.body import Body

TIMEOUT_SECONDS = 60.0
"""A model's longest answer (API reference, InvokeEndpoint)."""

REPLACEMENT_SECONDS = 15.0
"""How long a request waits where all replicas of an endpoint in service are just being replaced."""

_ANSWERING = ("InService", "Updating", "RollingBack")

_NOT_YET = (
    ("InferenceComponentName", "inference components"),
    ("TargetContainerHostname", "endpoints of several containers"),
    ("EnableExplanations", "explainers"),
    ("SessionId", "stateful sessions"),
)

_PAUSE = 0.03

T = TypeVar("T")
Way = Callable[[str, Invocation, float], Awaitable[T]]
"""Hosting's `invoke` or `stream`: group, invocation and seconds to an answer."""


@operation("sagemaker-runtime", "InvokeEndpoint")
async def invoke_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The body goes to a replica and its answer comes back, both byte for byte.

    Raises Fault ValidationError (unknown or not in service), ModelError (the model's own error, with its status and
    text), ServiceUnavailable (no replica came back in time).
    """
    name = asked["EndpointName"]
    route = await route_of(call, name)
    invocation = invocation_of(asked)
    variant, answer = await ask(call, route, asked.get("TargetVariant"), invocation)
    if route.shadows:
        copy_to_shadows(call.context, route, invocation)
    if answer.status >= 400:
        raise model_error(call, name, variant, answer)
    route.tell(variant, invocation, answer, asked.get("InferenceId", ""))
    found = {"Body": answer.body, "ContentType": answer.content_type, "InvokedProductionVariant": variant}
    if answer.custom_attributes:
        found["CustomAttributes"] = answer.custom_attributes
    return found


async def route_of(call: Call, name: str) -> Route:
    """Where the requests to an endpoint go. Raises Fault ValidationError (unknown, not in service, asynchronous)."""
    route = ROUTES.get((*call.space, name)) or await _await_route(call, name)
    if route.backlog is not None:
        raise Fault("ValidationError", f"Endpoint {name} is asynchronous; use InvokeEndpointAsync.")
    return route


def invocation_of(asked: Mapping[str, Any]) -> Invocation:
    """What a replica is sent of a request. Raises Fault ValidationError where it asks for what is not built."""
    for member, feature in _NOT_YET:
        if member in asked:
            raise Fault("ValidationError", f"{member} is given, but {feature} are not supported; leave it out.")
    body = asked.get("Body", b"")
    return Invocation(
        body.read() if isinstance(body, Body) else body,
        asked.get("ContentType", "application/octet-stream"),
        asked.get("Accept", "*/*"),
        asked.get("CustomAttributes", ""),
        asked.get("TargetModel", ""),
    )


async def ask(call: Call, route: Route, wanted: str | None, invocation: Invocation) -> tuple[str, Answer]:
    """The variant that answered, and its answer; counted, as long as it took from the instance's turn on.

    Raises Fault ValidationError (no such variant), ThrottlingException, ServiceUnavailable, ModelError (too late).
    """
    target = route.pick(wanted)
    with await place_of(call, route, target):
        begin = time.perf_counter()
        variant, answer = await deliver(call, route, target, wanted, invocation, call.context.hosting.invoke)
        route.traffic.setdefault(variant, Traffic()).add(answer.status, (time.perf_counter() - begin) * 1e6)
    return variant, answer


async def place_of(call: Call, route: Route, target: Target) -> AbstractContextManager[object]:
    """What a request to a variant holds while it is under way; it waits for that where all instances are busy.

    Raises Fault ThrottlingException, ServiceUnavailable.
    """
    if target.gate is None:
        assert target.demand is not None
        return target.demand
    if not target.gate.enter():
        if target.gate.asleep:
            route.miss(call.context)
        try:
            await target.gate.wait()
        except Fault as refusal:
            route.traffic.setdefault(target.variant, Traffic()).refuse(refusal.status)
            raise
    return target.gate


async def deliver(
    call: Call, route: Route, target: Target, wanted: str | None, invocation: Invocation, way: Way[T]
) -> tuple[str, T | Answer]:
    """Where no replica is ready, one is waited for: it may be waking, or the endpoint's fleet has just been exchanged."""
    deadline = 0.0
    lost = 0
    while True:
        if target.shelf is not None or invocation.target_model:
            await _choose_model(route, target, invocation.target_model)
        try:
            return target.variant, await way(target.group, invocation, TIMEOUT_SECONDS)
        except NoReplica as missing:
            lost += missing.lost
            patience = TIMEOUT_SECONDS if target.demand is not None else REPLACEMENT_SECONDS
            deadline = deadline or time.monotonic() + patience
            if lost >= MOST_LOST:
                return target.variant, Answer(
                    500, b"The model's process died while it worked on the request.", "text/plain"
                )
            if time.monotonic() > deadline:
                raise Fault(
                    "ServiceUnavailable", "No replica of the endpoint answers; its logs say why.", 503
                ) from None
        except TimeoutError:
            raise _late() from None
        route.miss(call.context)
        await asyncio.sleep(_PAUSE)
        target = route.pick(wanted)


async def _choose_model(route: Route, target: Target, name: str) -> None:
    """Raises Fault ValidationError where the request names a model and there is one only, or the other way round."""
    if target.shelf is None:
        raise Fault(
            "ValidationError",
            f"Variant {target.variant} of endpoint {route.row.key.name} has one model only; leave TargetModel "
            f"'{name}' out.",
        )
    if not name:
        raise Fault(
            "ValidationError",
            f"Variant {target.variant} of endpoint {route.row.key.name} has several models; name one as TargetModel.",
        )
    await target.shelf.lay_out(name)


def _late() -> Fault:
    text = f"Your invocation timed out while waiting for a response of the model; it has {TIMEOUT_SECONDS:g} s."
    return Fault("ModelError", text, 424, {"OriginalStatusCode": 504, "OriginalMessage": text})


def answering_row(call: Call, name: str) -> Row:
    """The endpoint, read from the store. Raises Fault ValidationError where it is unknown or takes no requests."""
    row = call.context.store.get(Key(call.space, KIND, name))
    if row is None or row.status not in _ANSWERING:
        state = f"is {row.status}" if row else "not found"
        raise Fault("ValidationError", f"Endpoint {name} of account {call.space.account} {state}.")
    return row


async def _await_route(call: Call, name: str) -> Route:
    """The route of an endpoint that the store says is in service: it is missing only right after a restart."""
    deadline = time.monotonic() + REPLACEMENT_SECONDS
    while True:
        await asyncio.to_thread(answering_row, call, name)
        if route := ROUTES.get((*call.space, name)):
            return route
        if time.monotonic() > deadline:
            raise Fault("ServiceUnavailable", f"Endpoint {name} is not back in service yet; try again.", 503)
        await asyncio.sleep(_PAUSE)


def model_error(call: Call, name: str, variant: str, answer: Answer) -> Fault:
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
