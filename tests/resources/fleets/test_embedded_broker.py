"""The embedded broker (TOBO_MQTT=embedded): who hears what over TLS, who is refused, and that no deployment hangs on it."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.cli.test_commands import free_port, tobo
from tests.conftest import Server, started_by
from tests.support.fleets import Fleet
from tests.support.listening import Listener, enrolled
from tests.support.processes import until

from tobo.edge.enrolment import read
from tobo.edge.nudge import Nudge
from tobo.operations.certificates import CLIENT, common_name, new_authority, pem, private_pem, publisher_files

pytest.importorskip("amqtt", reason="tobo[broker] is not installed")

TAKEN, DENIED = b"\x20\x02\x00\x00", b"\x20\x02\x00\x05"
"""CONNACK: connection accepted; not authorized (MQTT 3.1.1, table 3.1)."""

PING, PONG = b"\xc0\x00", b"\xd0\x00"


def connect_packet(keep_alive: int = 60) -> bytes:
    return b"\x10\x0d\x00\x04MQTT\x04\x02" + keep_alive.to_bytes(2, "big") + b"\x00\x01x"


def publish_packet(topic: str, qos: int = 0) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode() + (b"\x00\x07" if qos else b"") + b"poll"
    assert len(body) < 128
    return bytes([0x30 | qos << 1, len(body)]) + body


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"TOBO_TLS_PORT": "0", "TOBO_MQTT": "embedded:0"}
    started = Server(tmp_path_factory.mktemp("broker") / "state", environment)
    try:
        yield started.start()
    finally:
        started.end()


@pytest.fixture
def fleet(served: Server) -> Fleet:
    return Fleet(served)


def broker_port(fleet: Fleet) -> int:
    return int(fleet.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"].rpartition(":")[2])


@contextmanager
def connection(port: int, folder: Path, keys: tuple[Path, Path] | None = None) -> Iterator[ssl.SSLSocket]:
    """TLS with the certificate and key of an enrolment folder, or others."""
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    context.load_cert_chain(*(keys or (folder / "device.pem", folder / "device.key")))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as made,
    ):
        yield made


def answer(to: ssl.SSLSocket, packet: bytes) -> bytes:
    """The four bytes at most that come back; b"" where the connection is closed."""
    try:
        to.sendall(packet)
        return to.recv(4)
    except OSError:
        return b""


def heard_by(fleet: Fleet, listener: Listener) -> list[str]:
    """What a listener hears of a stage that is started now, and has heard before."""
    until(listener.subscribed.is_set)
    fleet.start(fleet.plan())
    until(lambda: len(listener.heard) > 0)
    return listener.heard


@contextmanager
def listening(*arguments: Any, **more: Any) -> Iterator[Listener]:
    made = Listener(*arguments, **more)
    try:
        yield made
    finally:
        made.end()


def test_a_device_hears_its_own_nudge_and_may_ask_for_no_other(fleet: Fleet, tmp_path: Path) -> None:
    (one, topic), (two, other) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    assert topic == f"tobo/{fleet.server.account}/us-east-1/{fleet.name}/cam-1/nudge"
    port = broker_port(fleet)
    mqtt = read(one).mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.port) == ("127.0.0.1", port)
    for wrong in (topic, "#", "tobo/#", other.replace("us-east-1", "+"), other + "/#", "$SYS/#", other[:-1]):
        with listening(two, port, wrong) as listener:
            until(listener.refused.is_set)
    with listening(one, port, topic) as hears, listening(two, port, topic) as curious:
        until(curious.refused.is_set)
        assert heard_by(fleet, hears) == [topic]
        assert curious.heard == []


def test_the_agent_hears_it(fleet: Fleet, tmp_path: Path) -> None:
    folder, _ = enrolled(fleet, "cam-1", tmp_path)
    heard: list[int] = []
    nudge = Nudge(read(folder), lambda: heard.append(1))
    try:
        until(lambda: len(heard) == 1)  # once it is connected
        fleet.start(fleet.plan())
        until(lambda: len(heard) == 2)
    finally:
        nudge.close()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_device_that_publishes_is_disconnected_and_not_heard(fleet: Fleet, tmp_path: Path, qos: int) -> None:
    (one, topic), (two, other) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    port = broker_port(fleet)
    with listening(one, port, topic) as hears:
        until(hears.subscribed.is_set)
        for forged in (topic, other):
            with connection(port, two) as made:
                assert answer(made, connect_packet()) == TAKEN
                assert answer(made, publish_packet(forged, qos)) == b""
        assert heard_by(fleet, hears) == [topic]  # the server's alone
        assert not hears.gone.is_set()


def test_a_will_is_no_way_to_publish(fleet: Fleet, tmp_path: Path) -> None:
    (one, topic), (two, other) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    port = broker_port(fleet)
    with listening(one, port, topic) as hears, listening(two, port, other, will=topic) as dying:
        until(dying.gone.is_set)
        assert not dying.subscribed.is_set()
        assert heard_by(fleet, hears) == [topic]


def test_the_name_of_another_device_gives_nothing_of_its(fleet: Fleet, tmp_path: Path) -> None:
    (one, topic), (two, _) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    port = broker_port(fleet)
    with (
        listening(one, port, topic, lasting=True, client_id="cam-1") as hears,
        listening(two, port, topic, lasting=True, client_id="cam-1") as thief,
    ):
        until(thief.refused.is_set)
        assert heard_by(fleet, hears) == [topic]
        assert not hears.gone.is_set()
        assert thief.heard == []


def test_a_newer_connection_ends_the_older(fleet: Fleet, tmp_path: Path) -> None:
    folder, topic = enrolled(fleet, "cam-1", tmp_path)
    port = broker_port(fleet)
    with connection(port, folder) as older:
        assert answer(older, connect_packet()) == TAKEN
        with listening(folder, port, topic) as newer:
            assert answer(older, b"") == b""
            assert heard_by(fleet, newer) == [topic]


def test_a_silent_device_is_disconnected(fleet: Fleet, tmp_path: Path) -> None:
    folder, _ = enrolled(fleet, "cam-1", tmp_path)
    with connection(broker_port(fleet), folder) as made:
        assert answer(made, connect_packet(keep_alive=1)) == TAKEN
        assert answer(made, b"") == b""  # within the timeout of the socket


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(connect_packet(), id="CONNECT again"),
        pytest.param(b"\x00\x00", id="reserved"),
        pytest.param(b"\x40\x02\x00\x01", id="PUBACK of nothing"),
        pytest.param(b"\x82\xff\xff\xff\x7f", id="256 MB"),
        pytest.param(b"\x82\xff\xff\xff\xff\xff", id="a length without end"),
        pytest.param(b"\x82\x00", id="SUBSCRIBE of nothing"),
    ],
)
def test_what_no_device_sends_ends_the_connection(fleet: Fleet, tmp_path: Path, packet: bytes) -> None:
    folder, topic = enrolled(fleet, "cam-1", tmp_path)
    port = broker_port(fleet)
    with connection(port, folder) as made:
        assert answer(made, connect_packet()) == TAKEN
        assert answer(made, PING) == PONG
        assert answer(made, packet) == b""
    for first in (b"GET / HTTP/1.1\r\n\r\n", packet[1:]):
        with connection(port, folder) as made:
            assert answer(made, first) == b""
    with listening(folder, port, topic) as hears:
        assert heard_by(fleet, hears) == [topic]


def test_nothing_rides_along_in_a_packet(fleet: Fleet, tmp_path: Path) -> None:
    (one, topic), (two, _) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    port = broker_port(fleet)
    hidden = publish_packet(topic, qos=1)
    with listening(one, port, topic) as hears, connection(port, two) as made:
        until(hears.subscribed.is_set)
        assert answer(made, connect_packet()) == TAKEN
        assert answer(made, PING[:1] + bytes([len(hidden)]) + hidden) == PONG
        assert answer(made, PING) == PONG  # and no PUBACK
        assert heard_by(fleet, hears) == [topic]


def test_strangers_are_not_let_in(fleet: Fleet, tmp_path: Path) -> None:
    folder, _ = enrolled(fleet, "cam-1", tmp_path)
    port, name = broker_port(fleet), f"{fleet.name}/cam-1"
    key = ec.generate_private_key(ec.SECP256R1())
    forged = new_authority("tobo devices").issue(common_name(name), key.public_key(), CLIENT)
    (tmp_path / "forged.pem").write_bytes(pem(forged))
    (tmp_path / "forged.key").write_bytes(private_pem(key))
    with pytest.raises(OSError), connection(port, folder, (tmp_path / "forged.pem", tmp_path / "forged.key")) as made:
        made.sendall(connect_packet())
        made.recv(4)
    trusting = ssl.create_default_context(cafile=str(folder / "authority.pem"))  # and nothing to show
    with (
        pytest.raises(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as made,
    ):
        made.sendall(connect_packet())
        made.recv(4)
    with connection(port, folder, publisher_files(fleet.server.state)) as made:  # at this broker nobody publishes
        assert answer(made, connect_packet()) == DENIED


def test_a_certificate_that_is_not_the_devices_own(fleet: Fleet, tmp_path: Path) -> None:
    """Signed by the authority, in the device's name, and attached to nothing; then attached; then revoked."""
    folder, _ = enrolled(fleet, "cam-1", tmp_path)
    port, key = broker_port(fleet), ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(common_name(f"{fleet.name}/cam-1"))
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    made = fleet.iot.create_certificate_from_csr(certificateSigningRequest=text, setAsActive=True)
    (tmp_path / "own.pem").write_text(made["certificatePem"])
    (tmp_path / "own.key").write_bytes(private_pem(key))

    def told() -> bytes:
        with connection(port, folder, (tmp_path / "own.pem", tmp_path / "own.key")) as device:
            return answer(device, connect_packet())

    assert told() == DENIED
    fleet.iot.attach_thing_principal(thingName=f"{fleet.name}:cam-1", principal=made["certificateArn"])
    assert told() == TAKEN
    fleet.iot.update_certificate(certificateId=made["certificateId"], newStatus="REVOKED")
    assert told() == DENIED


def test_a_server_that_is_killed_loses_no_deployment(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    port = free_port()
    fleet = Fleet(fresh_server(TOBO_TLS_PORT="0", TOBO_MQTT=f"embedded:{port}"))
    folder, topic = enrolled(fleet, "cam-1", tmp_path)
    with listening(folder, port, topic) as hears:
        assert heard_by(fleet, hears) == [topic]
        command = fleet.await_command("cam-1")
        hears.subscribed.clear()
        fleet.restart()
        assert fleet.told("cam-1") == command  # it polls
        fleet.answer("cam-1", command)
        until(hears.subscribed.is_set)  # by itself
        hears.heard.clear()
        fleet.start(fleet.plan(job=fleet.package("2.0")))
        until(lambda: hears.heard == [topic])


def test_a_clean_stop_leaves_nothing(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server(TOBO_TLS_PORT="0", TOBO_MQTT="embedded:0")
    fleet = Fleet(server)
    (one, topic), (two, _) = enrolled(fleet, "cam-1", tmp_path), enrolled(fleet, "cam-2", tmp_path)
    port = broker_port(fleet)
    with listening(one, port, topic) as hears, connection(port, two) as idle:
        until(hears.subscribed.is_set)
        assert answer(idle, connect_packet()) == TAKEN
        assert server.stop() == 0
    assert started_by(server.state) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "Traceback" not in server.log()


def test_without_the_extra_the_server_says_so(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "amqtt"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('No module named amqtt')\n")
    refused = tobo(
        "serve", "--port", "0", "--state", str(tmp_path / "state"), TOBO_MQTT="embedded", PYTHONPATH=str(hidden.parent)
    )
    assert refused.returncode != 0
    assert "install tobo[broker]" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_taken_port_is_named(served: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = tobo(
            "serve", "--port", "0", "--state", str(tmp_path / "state"), TOBO_MQTT=f"embedded:{port}", TOBO_WARM="0"
        )
    assert refused.returncode != 0
    assert f"127.0.0.1:{port} cannot be served" in refused.stderr
    assert "TOBO_MQTT=embedded:port" in refused.stderr
