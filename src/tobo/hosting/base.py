"""Hosting's promise: replicas of a model that answer invocations, found again after a restart of the server.

Guaranteed by every adapter (tests/contract/test_hosting.py):

- `start` is idempotent by name; a replica goes on when the server is killed and is adopted by the next one.
- `look` never reports Ready before the replica answered a ping, and reports a dead or deaf one as Dead with the reason
  within 5 s.
- `invoke` sends a request to one Ready replica of the group, the one with the fewest outstanding requests; a request
  that a dying replica had not answered whole is given to another one, up to three in all; a replica's answer is
  passed on byte for byte.
- `stream` does the same for an answer in parts, each passed on when it comes and none made before its turn; closing the
  parts ends the model's work on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tobo.compute.base import Sandbox, Usage

MOST_LOST = 3
"""Replicas that one request may see dying under it: a request that kills must not kill all."""


@dataclass(frozen=True)
class ReplicaSpec:
    """One replica: `entry` ("module:function") serves the model of `ml_root` (its /opt/ml tree) until SIGTERM.

    `environment`, `cpus`, `memory_bytes` and `preload` as in compute's ProcessSpec: without `preload` it starts cold,
    and small.

    In a `sandbox` (compute's, in force where `Compute.sandboxes` is True) the caller's binds show what `ml_root` has of
    model and output at /opt/ml, which TOBO_ML_ROOT then names; hosting adds the socket's folder. `network` and
    `disk_bytes` are as in ProcessSpec. `argv` is a program that serves HTTP, as a container's does: see compute's
    ProcessSpec for an entry, here the bridge, with a program.
    """

    group: str
    """Who is asked together: "<account>/<region>/<endpoint>/<variant>"."""
    name: str
    """Unique: "<group>/<number>"."""
    ml_root: Path
    log: Path
    entry: str
    environment: Mapping[str, str] = field(default_factory=dict)
    cpus: float | None = None
    memory_bytes: int | None = None
    preload: tuple[str, ...] = ()
    network: bool = True
    sandbox: Sandbox | None = None
    disk_bytes: int | None = None
    argv: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    """What opens a sealed model: handed over on the replica's socket while it starts, and written down nowhere."""


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
    target_model: str = ""
    """Which of a replica's models shall answer, where it has several."""

    @property
    def texts(self) -> tuple[str, ...]:
        """As a frame (kit/frames.py) carries them."""
        texts = (self.content_type, self.accept, self.custom_attributes)
        return (*texts, self.target_model) if self.target_model else texts


@dataclass(frozen=True)
class Answer:
    """What the replica answered; `status` 200, or the model's own error with its text in `body`."""

    status: int
    body: bytes
    content_type: str = "application/json"
    custom_attributes: str = ""


class Parts(Protocol):
    """An answer's parts as they come; `anext` raises StreamBroken or TimeoutError. Must be closed."""

    def __aiter__(self) -> "Parts": ...
    async def __anext__(self) -> bytes: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class Streamed:
    """An answer of which a first part has come; `parts` gives all of them."""

    content_type: str
    custom_attributes: str
    parts: Parts


class StreamBroken(Exception):
    """An answer in parts ended early; `told` by the model itself, else its replica went away."""

    def __init__(self, sentence: str, told: bool) -> None:
        super().__init__(sentence)
        self.told = told


class NoReplica(Exception):
    """No replica of the group is ready; `lost` of them died under this request."""

    def __init__(self, sentence: str, lost: int = 0) -> None:
        super().__init__(sentence)
        self.lost = lost


class Hosting(Protocol):
    """See the module's docstring for what is guaranteed. All but `invoke`, `stream` and `hang_up` may block; call them
    off the event loop."""

    def start(self, spec: ReplicaSpec) -> None: ...
    def look(self, name: str) -> ReplicaState: ...
    def stop(self, name: str, grace: float = 10.0) -> None: ...
    def gone(self, name: str) -> bool:
        """Whether nothing of a replica is left: it was stopped and its process is over, or it never was."""
        ...

    def usage(self, name: str) -> Usage | None:
        """Processor time and memory of a replica; None where it does not run, or the system does not say."""
        ...

    async def invoke(self, group: str, invocation: Invocation, timeout: float = 60.0) -> Answer:
        """Raises NoReplica, or TimeoutError after `timeout` seconds."""
        ...

    async def hang_up(self) -> None:
        """Closes what `invoke` holds open in the running event loop, which is about to end."""
        ...

    async def stream(self, group: str, invocation: Invocation, timeout: float = 60.0) -> Answer | Streamed:
        """An Answer where it came whole, and for the model's own error; `timeout` seconds for each part.

        Raises NoReplica, or TimeoutError before the first part.
        """
        ...

    def close(self) -> None: ...
