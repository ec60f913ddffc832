"""The dispatch table: which function serves which operation, filled by @operation."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tobo.operations.context import Call

Asked = Mapping[str, Any]
"""A request as the wire decoded it: AWS member names, datetimes, bytes, Body for streaming payloads."""

Serve = Callable[[Call, Asked], Any]
"""Answers with the members of the output shape; an `async def` runs on the event loop, a plain one in a worker thread."""


@dataclass(frozen=True)
class Operation:
    """One built operation. `action` is the IAM action it asks for, `resource` the ARN it asks it on."""

    service: str
    name: str
    serve: Serve
    action: str
    resource: Callable[[Call, Asked], str] | None
    is_async: bool


TABLE: dict[tuple[str, str], Operation] = {}
"""(service, operation) -> what is built. What is not here answers 400 "not implemented"."""


def operation(
    service: str, name: str, action: str | None = None, resource: Callable[[Call, Asked], str] | None = None
) -> Callable[[Serve], Serve]:
    """Registers a function under an AWS operation.

    `service` is botocore's service name ("sagemaker-runtime"), `action` defaults to "<signing prefix>:<name>".
    """

    def register(serve: Serve) -> Serve:
        if (service, name) in TABLE:
            raise ValueError(f"{service} {name} is registered twice")
        prefix = _ACTION_PREFIX.get(service, service)
        TABLE[service, name] = Operation(
            service, name, serve, action or f"{prefix}:{name}", resource, inspect.iscoroutinefunction(serve)
        )
        return serve

    return register


_ACTION_PREFIX = {
    "sagemaker-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
    "sagemaker-edge": "sagemaker",
    "sagemaker-a2i-runtime": "sagemaker",
}
