"""Who asks (Principal), where (Call) and with what the house answers (Context): the one door."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tobo.compute.base import Compute
from tobo.hosting.base import Hosting
from tobo.kit.arn import Arn, Namespace
from tobo.kit.clock import Clock
from tobo.kit.fault import Fault
from tobo.objects.base import Objects
from tobo.operations.auditing import HOUSE, audited
from tobo.operations.live_views import LiveViews
from tobo.operations.policy import Statement, decide
from tobo.settings import Settings
from tobo.store.base import Row, Store
from tobo.tasks.base import Tasks
from tobo.telemetry.base import Logs, Metrics
from tobo.telemetry.ledger import Ledger
from tobo.telemetry.tracing import Tracing
from tobo.telemetry.trail import Trail
from tobo.wire.checking import check
from tobo.wire.models import operation_model

log = logging.getLogger("tobo")


@dataclass(frozen=True)
class Principal:
    """Whose signature a request carries. `statements` None: the account's root, who may do everything.

    `limits` are those of a session that was given less than its source may do; both must allow.
    """

    account: str
    arn: str
    user_id: str
    access_key_id: str = ""
    statements: tuple[Statement, ...] | None = None
    limits: tuple[Statement, ...] | None = None

    def allows(self, action: str, resource: str) -> bool:
        given = (statements for statements in (self.statements, self.limits) if statements is not None)
        return all(decide(statements, action, resource) == "allowed" for statements in given)


def service_principal(account: str) -> Principal:
    """The house itself, when its work asks another noun; no signature can give this name."""
    return Principal(account, HOUSE, HOUSE)


@dataclass(frozen=True)
class Context:
    """The house's ports; one a server, passed to every operation and every piece of work."""

    settings: Settings
    clock: Clock
    store: Store
    objects: Objects
    logs: Logs
    metrics: Metrics
    compute: Compute
    hosting: Hosting
    tasks: Tasks
    wake: Callable[[Row], None] = field(default=lambda row: None)
    """Tells the controller that a row is due; losing it costs time, never work."""
    nudge: Callable[[Sequence[str]], None] | None = None
    """Publishes to MQTT topics of the embedded broker and may raise anything; None where there is none."""
    live: LiveViews = field(default_factory=LiveViews)
    """What devices show while somebody looks."""
    trail: Trail | None = None
    """The audit log, into which `serve` writes; None where nothing is recorded."""
    tracing: Tracing | None = None
    """Where requests and jobs are told as spans; None where no collector is named."""
    ledger: Ledger | None = None
    """What used which machine for how long; None where nothing is metered."""

    def call(self, principal: Principal, region: str, service: str, name: str, /, **asked: Any) -> Any:
        """Asks an operation of another noun: same check, same policy, same code as a client over HTTP.

        Answers what the operation's function gives (an awaitable for async ones); raises its Faults.
        """
        return serve(Call(self, principal, Namespace(principal.account, region)), service, name, asked)

    def as_house(self, space: Namespace, service: str, name: str, /, **asked: Any) -> Any:
        """`call` by the house itself, whose work needs another noun; raises that operation's Faults."""
        return self.call(service_principal(space.account), space.region, service, name, **asked)


@dataclass(frozen=True)
class Call:
    """One request: the context, who asks and in which namespace."""

    context: Context
    principal: Principal
    space: Namespace
    request_id: str = ""
    source: str = ""
    """The caller's IP address, "" for the house's own calls."""
    agent: str = ""
    """The caller's User-Agent."""
    within: str = ""
    """The operation that needs this one; "" where the caller has asked for it."""

    @property
    def now(self) -> float:
        return self.context.clock.now()

    def call(self, service: str, name: str, /, **asked: Any) -> Any:
        """Another operation, asked by the same principal in the same region."""
        inner = replace(self, space=Namespace(self.principal.account, self.space.region), within=HOUSE)
        return serve(inner, service, name, asked)


def serve(call: Call, service: str, name: str, asked: Mapping[str, Any]) -> Any:
    """Check, policy, code, and a line in the audit log.

    Raises Fault: not built, not allowed, not valid, or what the operation itself refuses.
    """
    if call.context.trail is None:
        return _served(call, service, name, asked)
    return audited(call.context.trail, call, service, name, asked, partial(_served, call, service, name, asked))


def _served(call: Call, service: str, name: str, asked: Mapping[str, Any]) -> Any:
    from tobo.operations.registry import TABLE  # the table's functions take a Call: imported late, not in a circle

    operation = TABLE.get((service, name))
    if operation is None:
        raise Fault("NotImplemented", f"{service} {name} is not built in tobo yet; docs/coverage.md lists what is.")
    check(operation_model(service, name), asked)
    if call.principal.statements is not None or call.principal.limits is not None:
        resource = operation.resource(call, asked) if operation.resource else resource_of(call, service, name, asked)
        if not call.principal.allows(operation.action, resource):
            raise Fault(
                "AccessDeniedException" if service != "s3" else "AccessDenied",
                f"User: {call.principal.arn} is not authorized to perform: {operation.action} on resource: {resource}",
                403,
            )
    return operation.serve(call, asked)


def resource_of(call: Call, service: str, name: str, asked: Mapping[str, Any]) -> str:
    """The ARN that an operation touches, by AWS's naming: DescribeTrainingJob of TrainingJobName x -> .../training-job/x."""
    noun = _VERB.sub("", name)
    value = asked.get(f"{noun}Name", "")
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", noun).lower()
    if service == "sagemaker-runtime":
        kind = "endpoint"
        value = asked.get("EndpointName", "")
    return str(
        Arn(
            service.removesuffix("-runtime"),
            call.space.region,
            call.space.account,
            f"{kind}/{value.lower()}" if value else "*",
        )
    )


_VERB = re.compile(r"^(Create|Describe|Update|Delete|Start|Stop|List|Get|Invoke)")
