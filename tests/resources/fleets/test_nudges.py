"""Nudges over a real mosquitto with TLS: who hears what, and what a broker that dies or lies can do (nothing)."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.cli.test_commands import free_port, tobo
from tests.conftest import Server
from tests.support.fleets import Fleet
from tests.support.listening import Listener, enrolled
from tests.support.processes import until

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None, reason="mosquitto is not installed"
)
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""


class Broker:
    """mosquitto as `tobo edge broker` configures it, a process of the test's."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")], stderr=log, stdout=log)
        until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def broker_and_fleet(fresh_server: Callable[..., Server], tmp_path: Path) -> Iterator[tuple[Broker, Fleet]]:
    port = free_port()
    server = fresh_server(TOBO_TLS_PORT="0", TOBO_MQTT=f"mqtts://127.0.0.1:{port}")
    folder = tmp_path / "broker"
    made = tobo("edge", "broker", "--into", str(folder), "--port", str(port), "--state", str(server.state))
    assert made.returncode == 0, made.stderr
    broker = Broker(folder, port)
    broker.start()
    yield broker, Fleet(server)
    broker.kill()


def test_a_device_hears_its_own_nudge_and_no_other(broker_and_fleet: tuple[Broker, Fleet], tmp_path: Path) -> None:
    broker, fleet = broker_and_fleet
    (one, topic), (two, other) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    assert topic == f"tobo/{fleet.server.account}/us-east-1/{fleet.name}/cam-1/nudge"
    listeners = [
        Listener(one, broker.port, topic),
        Listener(two, broker.port, topic),  # cam-2 listens where cam-1 should
        Listener(two, broker.port, "tobo/#"),
    ]
    try:
        until(lambda: all(listener.subscribed.is_set() or listener.refused.is_set() for listener in listeners))
        plan = fleet.plan()
        fleet.start(plan)
        until(lambda: listeners[0].heard == [topic])
        until(lambda: listeners[2].heard == [other])  # of everything it hears what is its own
        assert listeners[1].heard == []
    finally:
        for listener in listeners:
            listener.end()


def test_a_device_cannot_nudge_another_one(broker_and_fleet: tuple[Broker, Fleet], tmp_path: Path) -> None:
    broker, fleet = broker_and_fleet
    (one, topic), (two, _) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    hears, forges = Listener(one, broker.port, topic), Listener(two, broker.port, topic)
    try:
        until(hears.subscribed.is_set)
        for _ in range(3):
            forges.client.publish(topic, b"poll", qos=1).wait_for_publish(5)
        plan = fleet.plan()
        fleet.start(plan)
        until(lambda: len(hears.heard) > 0)
        assert hears.heard == [topic]  # the server's alone
    finally:
        hears.end()
        forges.end()


def test_a_stranger_is_not_let_in(broker_and_fleet: tuple[Broker, Fleet], tmp_path: Path) -> None:
    broker, _ = broker_and_fleet
    context = ssl.create_default_context(cafile=str(broker.folder / "authority.pem"))
    with (
        pytest.raises(OSError),
        socket.create_connection(("127.0.0.1", broker.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x05\x00\x01x")  # CONNECT
        if connection.recv(4) == b"":
            raise ConnectionError("closed")


def test_a_broker_that_dies_with_queued_messages_loses_no_deployment(
    broker_and_fleet: tuple[Broker, Fleet], tmp_path: Path
) -> None:
    broker, fleet = broker_and_fleet
    folder, topic = enrolled(fleet, "cam-1", tmp_path)
    asleep = Listener(folder, broker.port, topic, lasting=True)
    until(asleep.subscribed.is_set)
    asleep.end()  # from now on the broker queues what comes for it
    first = fleet.plan()
    fleet.start(first)
    command = fleet.await_command("cam-1")
    broker.kill()
    fleet.answer("cam-1", command)
    fleet.await_status(first, "DEPLOYED")
    second = fleet.plan(job=fleet.package("2.0"))
    fleet.start(second)  # nobody can be nudged
    fleet.answer("cam-1", fleet.await_command("cam-1"))
    fleet.await_status(second, "DEPLOYED")
    assert asleep.heard == []
    until(lambda: "the devices poll anyway" in fleet.server.log())


def test_a_forged_or_replayed_nudge_changes_nothing(broker_and_fleet: tuple[Broker, Fleet], tmp_path: Path) -> None:
    broker, fleet = broker_and_fleet
    _, topic = enrolled(fleet, "cam-1", tmp_path)
    plan = fleet.plan()
    fleet.start(plan)
    before = fleet.await_command("cam-1")
    state = fleet.server.state / "edge"
    client = Client(CallbackAPIVersion.VERSION2)
    files = (state / "authority.pem", state / "publisher.pem", state / "publisher.key")
    until(lambda: all(file.exists() for file in files))
    client.tls_set(*map(str, files))  # even with the server's own key
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for payload in (b"poll", b'{"State":"UNDEPLOY"}', b"\xff" * 1000):
        client.publish(topic, payload, qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
    assert fleet.told("cam-1") == before
    assert fleet.status(plan)["StageStatus"] == "INPROGRESS"


def test_a_broker_in_the_house_without_tls(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = Broker(tmp_path, port)
    broker.start()
    client = Client(CallbackAPIVersion.VERSION2)
    heard: list[str] = []
    subscribed = threading.Event()
    client.on_connect = lambda client, *_: client.subscribe("tobo/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda client, data, message: heard.append(message.topic)
    try:
        client.connect("127.0.0.1", port)
        client.loop_start()
        until(subscribed.is_set)
        fleet = Fleet(fresh_server(TOBO_MQTT=f"mqtt://127.0.0.1:{port}"))
        fleet.register("cam-1")
        fleet.start(fleet.plan())
        until(lambda: heard == [f"tobo/{fleet.server.account}/us-east-1/{fleet.name}/cam-1/nudge"])
    finally:
        client.disconnect()
        client.loop_stop()
        broker.kill()
