"""The door: one ASGI application in which every request walks the same steps, read from top to bottom in `_answer`."""

import logging
import os
import random
from asyncio import get_running_loop
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import Any

import orjson

from tobo import __version__
from tobo.gateway.answers import Send, send_answer
from tobo.gateway.authentication import Head, Signed, authenticate, check_body, region_of_bucket
from tobo.gateway.bodies import ClientGone, Receive, take_body, too_large, wanted_digests
from tobo.gateway.chunks import Chunks
from tobo.gateway.device_credentials import answer_credentials, asked_alias
from tobo.gateway.exposition import answer_metrics, asks_for_metrics
from tobo.gateway.inert import inert
from tobo.gateway.refusals import protocol_of, refusal
from tobo.gateway.s3_requests import hoisted, unframed
from tobo.gateway.signature import Refused, read_claim
from tobo.gateway.subscribers import answer_subscriber, asks_about_subscription
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, serve
from tobo.operations.registry import TABLE
from tobo.resources.identity.keyring import ring_of
from tobo.telemetry.tracing import Tracing
from tobo.wire.body import Body, FileBody
from tobo.wire.reading import read
from tobo.wire.request import Request
from tobo.wire.response import Response
from tobo.wire.routing import Target, Unrouted, route, to_path_style
from tobo.wire.writing import write, write_fault

log = logging.getLogger("tobo.gateway")
access_log = logging.getLogger("tobo.access")

HEALTH = "/_tobo/health"

MiB = 1 << 20
LIMITS = {"s3": 5 << 30, "sagemaker": 25 * MiB, "logs": 2 * MiB, "monitoring": 2 * MiB}
"""Most bytes of a body by the service that it is signed for (S3: largest PutObject; SageMaker: largest payload)."""
OTHER_LIMIT = MiB

SMALL_FILE = 64 << 10
"""A file body up to this size is read where it was opened: one thread hop less."""


@dataclass(slots=True)
class Exchange:
    """What is known about one request on its way, for the answer, the log and the cleaning up."""

    head: Head
    request_id: str
    extensions: Mapping[str, Any]
    """ASGI's, of the connection."""
    signed: Signed | None = None
    body: Body | None = None
    target: Target | None = None
    peer: str = ""
    """The client's IP address."""


class Door:
    """The ASGI application. `spool` is a folder for large bodies on the objects' file system, `pool` runs what blocks."""

    def __init__(self, context: Context, spool: Path, pool: Executor) -> None:
        self._context = context
        self._spool = spool
        self._pool = pool
        self._ring = ring_of(context)
        self._draw = random.Random()
        self._counts: Counter[tuple[str, int]] = Counter()
        """Requests answered, by service and status."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        started = perf_counter()
        head = head_of(scope)
        if head.path == HEALTH and head.method in ("GET", "HEAD"):
            await send_answer(send, _health(), self._pool, receive)
            return
        if asks_for_metrics(head):
            peer, said = (scope.get("client") or ("",))[0], head.headers.get("authorization", "")
            response = await get_running_loop().run_in_executor(
                self._pool, answer_metrics, self._context, said, peer, dict(self._counts)
            )
            await send_answer(send, response, self._pool, receive)
            return
        if asks_about_subscription(head):
            response = await get_running_loop().run_in_executor(
                self._pool, answer_subscriber, self._context, head.method, head.query
            )
            await send_answer(send, response, self._pool, receive)
            return
        exchange = Exchange(head, f"{self._draw.getrandbits(64):016X}", scope.get("extensions", {}))
        exchange.peer = (scope.get("client") or ("",))[0]
        try:
            response = await self._refused_or_answered(exchange, receive)
            size = await send_answer(send, response, self._pool, receive)
        except ClientGone:
            log.info("the client closed the connection before its request %s was over", exchange.request_id)
            return
        finally:
            if exchange.body is not None and exchange.body.path is not None:
                exchange.body.path.unlink(missing_ok=True)
        self._counts[_service(exchange), response.status] += 1
        if self._context.tracing is not None:
            _trace(self._context.tracing, exchange, response.status, perf_counter() - started)
        if access_log.isEnabledFor(logging.INFO):
            access_log.info("", extra={"request": _line(exchange, response.status, size, perf_counter() - started)})

    async def _refused_or_answered(self, exchange: Exchange, receive: Receive) -> Response:
        head = exchange.head
        try:
            return await self._answer(exchange, receive)
        except Refused as refused:
            service = exchange.signed.service if exchange.signed else _scope_service(head)
            protocol = protocol_of(head.method, head.path, head.headers, service)
            fault: Fault = refusal(protocol, refused)
        except Fault as raised:
            fault = raised
        except ClientGone:
            raise
        except Exception:
            log.exception("request %s failed: %s %s", exchange.request_id, head.method, head.path)
            fault = Fault("InternalFailure", "Something went wrong inside tobo; its log has the trace.", 500)
        return self._fault(exchange, fault)

    def _fault(self, exchange: Exchange, fault: Fault) -> Response:
        head = exchange.head
        if exchange.target is None and not isinstance(fault, Unrouted):
            service = exchange.signed.service if exchange.signed else _scope_service(head)
            fault = Unrouted(
                protocol_of(head.method, head.path, head.headers, service), fault.code, fault.message, fault.status
            )
        response = write_fault(exchange.target, fault, exchange.request_id)
        if exchange.body is None and "expect" in head.headers:
            # The client waits with its body and will not send it; the next request must not be taken for it.
            response.headers.append(("connection", "close"))
        return response if head.method != "HEAD" else Response(response.status, response.headers, b"")

    async def _answer(self, exchange: Exchange, receive: Receive) -> Response:
        head = exchange.head
        if (alias := asked_alias(head)) is not None:  # what a certificate proves takes the place of a signature
            return await get_running_loop().run_in_executor(
                self._pool, answer_credentials, self._context, alias, head.headers, exchange.extensions
            )
        signed = exchange.signed = authenticate(self._ring, self._context.clock.now(), head)
        body = exchange.body = await self._body(head, signed, receive)
        check_body(signed, head, body)
        request = Request(head.method, head.path, head.query, head.headers, body)
        if signed.service == "s3":
            request = to_path_style(hoisted(request), head.headers.get("host", ""))
        target = exchange.target = route(request, signed.service)
        region = signed.region or region_of_bucket(
            self._context.objects, signed.principal.account, target.labels.get("Bucket", "")
        )
        space = Namespace(signed.principal.account, region)
        agent = head.headers.get("user-agent", "")
        call = Call(self._context, signed.principal, space, exchange.request_id, exchange.peer, agent)
        operation = TABLE.get((target.service, target.operation))
        if operation is not None and operation.is_async:
            result = await serve(call, target.service, target.operation, read(target, request))
            return inert(target, write(target, result, call.request_id))
        return await get_running_loop().run_in_executor(self._pool, _serve_blocking, call, target, request)

    async def _body(self, head: Head, signed: Signed, receive: Receive) -> Body:
        """The body, its digests and, in the headers, what a trailer says; all of it within the service's limit."""
        limit = LIMITS.get(signed.service, OTHER_LIMIT)
        length = head.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise Fault("InvalidRequest", f"Content-Length '{length[:40]}' is not a number of bytes.")
        if len(length) > 15 or int(length) > limit + (limit >> 3 if signed.streamed else 0):
            raise too_large(limit)
        digests = wanted_digests(signed.service, head.headers)
        if not signed.streamed:
            return await take_body(receive, self._spool, self._pool, digests, limit)
        assert signed.claim is not None and signed.payload is not None
        chunks = Chunks(signed.payload, signed.key, signed.claim)
        body = await take_body(receive, self._spool, self._pool, digests, limit, chunks)
        try:
            head.headers = unframed(head.headers, chunks)
        except Fault:
            if body.path is not None:
                body.path.unlink(missing_ok=True)
            raise
        return body


def head_of(scope: Mapping[str, Any]) -> Head:
    """The request line and headers as texts of one letter a byte; headers of the same name joined by a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Head(scope["method"], scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"), headers)


def _serve_blocking(call: Call, target: Target, request: Request) -> Response:
    """Reading, serving and writing in one worker thread."""
    result = serve(call, target.service, target.operation, read(target, request))
    response = inert(target, write(target, result, call.request_id))
    body = response.body
    if isinstance(body, FileBody) and body.length <= SMALL_FILE:
        try:
            return Response(response.status, response.headers, os.pread(body.file, body.length, body.offset))
        finally:
            os.close(body.file)
    return response


def _scope_service(head: Head) -> str | None:
    """The service that a request says to be signed for, true or not: in its protocol it will read the refusal."""
    try:
        return read_claim(head.headers, head.query).service
    except Refused:
        return None


def _health() -> Response:
    body = orjson.dumps({"status": "ok", "version": __version__})
    return Response(200, [("content-type", "application/json"), ("content-length", str(len(body)))], body)


def _service(exchange: Exchange) -> str:
    """That of the operation, or what the request is signed for; empty where neither is known."""
    target, signed = exchange.target, exchange.signed
    return target.service if target else signed.service if signed else ""


def _trace(tracing: Tracing, exchange: Exchange, status: int, seconds: float) -> None:
    head, target, now = exchange.head, exchange.target, time()
    service, operation = _service(exchange), target.operation if target else None
    members = {
        "rpc.system.name": "aws-api",
        "rpc.service": service or None,
        "rpc.method": f"{service}/{operation}" if operation else None,
        "http.request.method": head.method,
        "url.path": head.path,
        "aws.request_id": exchange.request_id,
        "aws.region": exchange.signed.region if exchange.signed else None,
    }
    name = f"{service} {operation}" if operation else f"{head.method} {service}".strip()
    tracing.request(name, now - seconds, now, status, members, head.headers)


def _line(exchange: Exchange, status: int, size: int, seconds: float) -> dict[str, Any]:
    """The members of a request's log line; no secrets: neither query nor headers."""
    head, target, signed = exchange.head, exchange.target, exchange.signed
    return {
        "request": exchange.request_id,
        "method": head.method,
        "path": head.path,
        "service": _service(exchange) or None,
        "operation": target.operation if target else None,
        "region": signed.region if signed else None,
        "caller": signed.principal.arn if signed else None,
        "status": status,
        "bytes_in": exchange.body.size if exchange.body else None,
        "bytes_out": size,
        "ms": round(seconds * 1000, 2),
    }
