"""Hosting's promise: replicas of a model that answer invocations, found again after a restart of the server.

Guaranteed by every adapter (tests/contract/test_hosting.py):

- `start` is idempotent by name; a replica goes on when the server is killed and is adopted by the next one.
- `look` never reports Ready before the replica answered a ping, and reports a dead or deaf one as Dead with the reason
  within 5 s.
- `invoke` sends a request to one Ready replica of the group, the one with the fewest outstanding requests; a request
  that a dying replica had not begun to answer is given to another one, up to three in all; a replica's answer is
  passed on byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ReplicaSpec:
    """One replica: `entry` ("module:function") serves the model of `ml_root` (its /opt/ml tree) until SIGTERM.

    `environment`, `cpus`, `memory_bytes` and `preload` as in compute's ProcessSpec: without `preload` it starts cold,
    and small.
    """

    group: str
    """Who is asked together: "<account>/<region>/<endpoint>/<variant>"."""
    name: str
    """Unique: "<group>/<ordinal>-<generation>"."""
    ml_root: Path
    log: Path
    entry: str
    environment: Mapping[str, str] = field(default_factory=dict)
    cpus: float | None = None
    memory_bytes: int | None = None
    preload: tuple[str, ...] = ()


@dataclass(frozen=True)
class Starting:
    """The process is there, or coming, and has not answered a ping yet."""

    since: float


@dataclass(frozen=True)
class Ready:
    """Answers pings."""

    since: float


@dataclass(frozen=True)
class Dead:
    """Will not answer any more."""

    reason: str


ReplicaState = Starting | Ready | Dead


@dataclass(frozen=True)
class Invocation:
    """POST /invocations as the caller sent it."""

    body: bytes
    content_type: str = "application/octet-stream"
    accept: str = "*/*"
    custom_attributes: str = ""


@dataclass(frozen=True)
class Answer:
    """What the replica answered; `status` 200, or the model's own error with its text in `body`."""

    status: int
    body: bytes
    content_type: str = "application/json"
    custom_attributes: str = ""


class NoReplica(Exception):
    """No replica of the group is ready."""


class Hosting(Protocol):
    """See the module's docstring for what is guaranteed. All but `invoke` may block; call them off the event loop."""

    def start(self, spec: ReplicaSpec) -> None: ...
    def look(self, name: str) -> ReplicaState: ...
    def stop(self, name: str, grace: float = 10.0) -> None: ...
    async def invoke(self, group: str, invocation: Invocation, timeout: float = 60.0) -> Answer:
        """Raises NoReplica, or TimeoutError after `timeout` seconds."""
        ...

    def close(self) -> None: ...
