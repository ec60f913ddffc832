"""InvokeEndpointWithResponseStream: what a model answers, part by part, as an event stream."""

import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from tobo.hosting.base import Answer, StreamBroken, Streamed
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.endpoints.invoke import TIMEOUT_SECONDS, deliver, invocation_of, model_error, place_of, route_of
from tobo.resources.endpoints.traffic import Traffic

LARGEST_PART = 1 << 20
"""Bytes of one PayloadPart; a model's larger part becomes several."""

Event = dict[str, dict[str, Any]]


@operation("sagemaker-runtime", "InvokeEndpointWithResponseStream")
async def invoke_endpoint_with_response_stream(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A model that gives its answer whole has it sent in one part; each part of another is sent when it is made.

    Raises the Faults of InvokeEndpoint as long as there is no part, afterwards ModelStreamError in the stream.
    """
    name, wanted = asked["EndpointName"], asked.get("TargetVariant")
    route = await route_of(call, name)
    invocation = invocation_of(asked)
    target = route.pick(wanted)
    with contextlib.ExitStack() as held:
        held.enter_context(await place_of(call, route, target))
        begin = time.perf_counter()
        variant, answer = await deliver(call, route, target, wanted, invocation, call.context.hosting.stream)
        status = answer.status if isinstance(answer, Answer) else 200
        route.traffic.setdefault(variant, Traffic()).add(status, (time.perf_counter() - begin) * 1e6)
        if isinstance(answer, Answer) and status >= 400:
            raise model_error(call, name, variant, answer)
        parts = _whole(answer.body) if isinstance(answer, Answer) else _parts(answer, held.pop_all())
    found = {"Body": parts, "ContentType": answer.content_type, "InvokedProductionVariant": variant}
    if answer.custom_attributes:
        found["CustomAttributes"] = answer.custom_attributes
    return found


async def _whole(body: bytes) -> AsyncGenerator[Event, None]:
    for event in _events(body):
        yield event


async def _parts(answer: Streamed, held: contextlib.ExitStack) -> AsyncGenerator[Event, None]:
    """Hangs up on the replica when the caller hangs up on us."""
    with held:
        try:
            async for part in answer.parts:
                for event in _events(part):
                    yield event
        except StreamBroken as broken:
            code = "ModelInvocationError" if broken.told else "StreamBroken"
            raise Fault("ModelStreamError", str(broken), 424, {"ErrorCode": code}) from None
        except TimeoutError:
            text = f"The model made no further part of its answer within {TIMEOUT_SECONDS:g} s."
            raise Fault("ModelStreamError", text, 424, {"ErrorCode": "ModelInvocationTimeExceeded"}) from None
        finally:
            await answer.parts.aclose()


def _events(part: bytes) -> list[Event]:
    pieces = range(0, len(part), LARGEST_PART)
    return [{"PayloadPart": {"Bytes": part[begin : begin + LARGEST_PART]}} for begin in pieces]
