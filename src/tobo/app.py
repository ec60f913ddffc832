"""app: settings -> context -> server, and the way down again."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from tobo import resources
from tobo.algorithms import algorithms
from tobo.compute.processes import ProcessCompute
from tobo.console.front import Front
from tobo.controller.loop import Controller
from tobo.gateway.account import first_account
from tobo.gateway.door import Door
from tobo.gateway.notebooks import Notebooks
from tobo.gateway.one_write import OneWriteProtocol
from tobo.gateway.tls import TlsFiles, tls_files
from tobo.hosting.processes import ProcessHosting
from tobo.kit.clock import SystemClock
from tobo.kit.memory import keep_freed_memory
from tobo.objects.folder import FolderObjects
from tobo.operations.closing import AT_CLOSE
from tobo.operations.context import Context
from tobo.operations.timers import start_timers
from tobo.resources.identity.roles import ensure_execution_role
from tobo.resources.notebook_instances.requests import has_notebooks
from tobo.resources.notebook_instances.surroundings import gateway_socket
from tobo.resources.things.credentials import device_topic
from tobo.settings import Settings
from tobo.store.sql import SqlStore
from tobo.tasks.sqlite import SqliteTasks
from tobo.telemetry.files import FileLogs
from tobo.telemetry.ledger import Ledger
from tobo.telemetry.series import SqlMetrics
from tobo.telemetry.tracing import read_tracing
from tobo.telemetry.trail import Trail

if TYPE_CHECKING:
    from tobo.gateway.broker import EmbeddedBroker

log = logging.getLogger("tobo")

THREADS = 16
"""Blocking operations at a time."""

KEEP_ALIVE = 65
"""Seconds that an idle connection stays open: longer than clients' pools keep theirs."""

GRACE = 30
"""Seconds that requests in flight have when the server stops."""


def serve(settings: Settings, ready: Callable[[str], None] = lambda endpoint: None) -> None:
    """Serves until SIGTERM or SIGINT; tells `ready` the endpoint once it answers.

    Raises SystemExit where the state folder is in use or a port is taken.
    """
    settings = first_account(settings)
    with _lock(settings.state), ThreadPoolExecutor(THREADS, thread_name_prefix="door") as pool:
        uvloop.run(_serve(settings, ready, pool))


async def _serve(settings: Settings, ready: Callable[[str], None], pool: ThreadPoolExecutor) -> None:
    keep_freed_memory()
    listener = _listen(settings.host, settings.port)
    files = tls_files(settings.state)
    tls_port = files.port() if settings.tls_port is None else settings.tls_port
    tls_listener = None if tls_port is None else _listen(settings.host, tls_port)
    # Jobs and devices are told where the server is: a free port must be known by its number before one starts.
    tls_port = None if tls_listener is None else tls_listener.getsockname()[1]
    settings = replace(settings, port=listener.getsockname()[1], tls_port=tls_port)
    settings, broker = _broker(settings, files)
    context, controller = build(settings, None if broker is None else broker.publish)
    door = Door(context, _empty(settings.state / "tmp"), pool)
    notebooks = Notebooks(context, pool)
    front = Front(context, door, notebooks)
    servers = [(_Server(_config(front)), listener)]
    if has_notebooks():
        # Those without a network reach the door, and nothing else, over a socket of the file system.
        servers.append((_Server(_config(door, ws="none")), _listen_beside(gateway_socket(settings))))
    if tls_listener is not None:
        servers.append((_Server(_tls_config(front, files, settings)), tls_listener))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, [server for server, _ in servers], front)
    control = asyncio.create_task(controller.run())
    serving = [asyncio.create_task(server.serve([its])) for server, its in servers]
    if broker is not None:
        broker.start(partial(device_topic, context))
    try:
        while not all(server.started or task.done() for (server, _), task in zip(servers, serving, strict=True)):
            await asyncio.sleep(0.005)
        with _announced(settings, listener, tls_listener) as endpoint:
            ready(endpoint)
            await asyncio.gather(*serving)
    finally:
        await notebooks.close()
        controller.stop()
        await control
        if broker is not None:
            broker.stop()
        for deed in AT_CLOSE:
            deed(context)
        for port in (context.hosting, context.compute, context.metrics, context.objects, context.tasks, context.store):
            port.close()
        for record in (context.trail, context.ledger, context.tracing):
            if record is not None:
                record.close()
    log.info("stopped; jobs and replicas go on")


def build(settings: Settings, nudge: Callable[[Sequence[str]], None] | None = None) -> tuple[Context, Controller]:
    """The house on a state folder, with every noun registered and the first account's role in place."""
    state, clock = settings.state.absolute(), SystemClock()
    resources.load()
    compute = ProcessCompute(state / "compute", settings.cpus, settings.memory_bytes)
    context = Context(
        settings=settings,
        clock=clock,
        store=SqlStore(f"sqlite:///{state / 'tobo.db'}"),
        objects=FolderObjects(state / "objects", clock),
        logs=FileLogs(state / "logs"),
        metrics=SqlMetrics(state / "metrics.db"),
        compute=compute,
        hosting=ProcessHosting(compute, state / "hosting"),
        tasks=SqliteTasks(state / "tasks.db"),
        wake=lambda row: controller.wake(row),
        nudge=nudge,
        trail=Trail(state / "audit"),
        ledger=Ledger(state / "ledger.db"),
        tracing=read_tracing(),
    )
    controller = Controller(context)
    ensure_execution_role(context)
    start_timers(context)
    if settings.warm:
        compute.warm([module for algorithm in algorithms().values() for module in algorithm.preload])
    return context, controller


@contextlib.contextmanager
def _lock(state: Path) -> Iterator[None]:
    """Two servers on one state folder would both adopt its jobs. Raises SystemExit."""
    with (state / "server.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(
                f"Another server uses the state folder {state}; stop it, or choose another one with --state."
            ) from None
        yield


def _broker(settings: Settings, files: TlsFiles) -> tuple[Settings, "EmbeddedBroker | None"]:
    """The embedded broker, not yet started, and the settings with its address. Raises SystemExit where it cannot be had."""
    if settings.broker_port is None:
        return settings, None
    try:
        from tobo.gateway.broker import EmbeddedBroker
    except ImportError as error:
        raise SystemExit(
            f"TOBO_MQTT=embedded cannot be served ({error}); install tobo[broker], or name a broker as mqtts://host:port."
        ) from None
    from tobo.gateway.certificates import ensure_certificate
    from tobo.operations.certificates import authority_file, device_authority

    listener = _listen(settings.host, settings.broker_port, "TOBO_HOST or TOBO_MQTT=embedded:port")
    ensure_certificate(files, settings.host)
    device_authority(settings.state)
    broker = EmbeddedBroker(listener, files.certificate, files.key, authority_file(settings.state))
    return replace(settings, mqtt=f"mqtts://{settings.reached(listener.getsockname()[1])}"), broker


def _listen(host: str, port: int, choice: str = "--host or --port") -> socket.socket:
    """A listening socket, port 0 standing for a free one. Raises SystemExit where it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise SystemExit(f"{host}:{port} cannot be served: {error.strerror}; choose another with {choice}.") from None
    return listener


def _listen_beside(path: Path) -> socket.socket:
    """A listening socket of the file system, in a folder that this user alone may enter; an older server's is replaced."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise SystemExit(f"{path.parent} belongs to another user; remove it.")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


def _empty(folder: Path) -> Path:
    """Bodies that a killed server had begun to take are nobody's."""
    folder.mkdir(exist_ok=True)
    for leftover in folder.iterdir():
        leftover.unlink()
    return folder


def _tls_config(front: Front, files: TlsFiles, settings: Settings) -> uvicorn.Config:
    """Clients may show a certificate, of the devices' authority; the SDKs' STS shows none."""
    # 50 ms of cryptography that most starts can do without
    from tobo.gateway.certificates import ensure_certificate
    from tobo.gateway.peers import PeerProtocol
    from tobo.operations.certificates import authority_file, device_authority

    ensure_certificate(files, settings.host)
    device_authority(settings.state)
    return _config(
        front,
        http=PeerProtocol,
        ssl_certfile=str(files.certificate),
        ssl_keyfile=str(files.key),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        ssl_ca_certs=str(authority_file(settings.state)),
    )


def _config(front: Front | Door, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        front,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
        **{"http": OneWriteProtocol, "ws": _websocket if has_notebooks() else "none", **more},
    )


def _websocket(**its: Any) -> asyncio.Protocol:
    """uvicorn's protocol, imported when somebody first opens a notebook."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**its)


class _Server(uvicorn.Server):
    """uvicorn's server; the signals are ours, for there may be two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _stop(servers: list[_Server], front: Front) -> None:
    """The first signal lets requests finish, the second does not wait for them; live pages would never finish."""
    front.close()
    for server in servers:
        server.force_exit = server.should_exit
        server.should_exit = True


@contextlib.contextmanager
def _announced(settings: Settings, listener: socket.socket, tls_listener: socket.socket | None) -> Iterator[str]:
    """Keeps the addresses in <state>/server.json while the server runs, for the other commands."""
    found: dict[str, object] = {"endpoint": f"http://{_address(listener)}", "pid": os.getpid()}
    if tls_listener is not None:
        found["tls_endpoint"] = f"https://{_address(tls_listener)}"
    file = settings.state / "server.json"
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(found))
    draft.replace(file)
    log.info("serving %s from %s", found["endpoint"], settings.state)
    try:
        yield str(found["endpoint"])
    finally:
        file.unlink(missing_ok=True)


def _address(listener: socket.socket) -> str:
    """Where a client of this machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
