"""The embedded broker (TOBO_MQTT=embedded): who hears what over TLS, who is refused, and that no deployment hangs on it."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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


def connect_packet(keep_alive: int = 60, will: str | None = None) -> bytes:
    """MQTT 3.1.1 for a session that ends with the connection; `will` is the topic of a last message."""
    last = b"" if will is None else _counted(will.encode()) + _counted(b"forged")
    flags = 0x02 if will is None else 0x06
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + keep_alive.to_bytes(2, "big") + _counted(b"x") + last
    assert len(body) < 128
    return bytes([0x10, len(body)]) + body


def publish_packet(topic: str, qos: int = 0) -> bytes:
    body = _counted(topic.encode()) + (b"\x00\x07" if qos else b"") + b"forged"
    assert len(body) < 128
    return bytes([0x30 | qos << 1, len(body)]) + body


def _counted(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"TOBO_TLS_PORT": "0", "TOBO_MQTT": "embedded:0"}
    started = Server(tmp_path_factory.mktemp("broker") / "state", environment)
    try:
        yield started.start()
    finally:
        started.end()


@dataclass(frozen=True)
class Line:
    """A fleet of two enrolled devices and a packaged model; folders and topics of both devices."""

    fleet: Fleet
    port: int
    one: Path
    two: Path
    topic: str
    other: str
    job: str

    def nudge(self) -> None:
        """Starts a stage that both devices are in, and so tells both to poll."""
        self.fleet.start(self.fleet.plan(job=self.job))


@pytest.fixture(scope="module")
def line(served: Server, tmp_path_factory: pytest.TempPathFactory) -> Line:
    return enrolled_line(served, tmp_path_factory.mktemp("devices"))


def enrolled_line(server: Server, folder: Path) -> Line:
    fleet = Fleet(server)
    (one, topic), (two, other) = enrolled(fleet, "cam-1", folder), enrolled(fleet, "cam-2", folder)
    address = fleet.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    return Line(fleet, int(address.rpartition(":")[2]), one, two, topic, other, fleet.package())


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
    except (ConnectionError, ssl.SSLError):
        return b""


def heard_by(line: Line, listener: Listener) -> list[bytes]:
    """What a listener has heard up to the nudge that it is sent now; what was published before comes before."""
    until(listener.subscribed.is_set)
    line.nudge()
    until(lambda: b"poll" in listener.said)
    return listener.said


def write_pair(folder: Path, certificate: bytes, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    files = folder / "pair.pem", folder / "pair.key"
    files[0].write_bytes(certificate)
    files[1].write_bytes(private_pem(key))
    return files


@contextmanager
def listening(*arguments: Any, **more: Any) -> Iterator[Listener]:
    made = Listener(*arguments, **more)
    try:
        yield made
    finally:
        made.end()


def test_a_device_hears_its_own_nudge_and_may_ask_for_no_other(line: Line) -> None:
    assert line.topic == f"tobo/{line.fleet.server.account}/us-east-1/{line.fleet.name}/cam-1/nudge"
    mqtt = read(line.one).mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.port) == ("127.0.0.1", line.port)
    own = line.other
    for wrong in (line.topic, "#", "tobo/#", own.replace("us-east-1", "+"), own + "/#", "$SYS/#", own[:-1]):
        with listening(line.two, line.port, wrong) as listener:
            until(listener.refused.is_set)
    with listening(line.one, line.port, line.topic) as hears, listening(line.two, line.port, line.topic) as curious:
        until(curious.refused.is_set)
        assert heard_by(line, hears) == [b"poll"]
        assert curious.said == []


def test_the_agent_hears_it(line: Line) -> None:
    heard: list[int] = []
    nudge = Nudge(read(line.one), lambda: heard.append(1))
    try:
        until(lambda: len(heard) == 1)  # once it is connected
        until(lambda: line.nudge() or len(heard) > 1)  # what comes before it has subscribed is lost, and polled for
    finally:
        nudge.close()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_device_that_publishes_is_disconnected_and_not_heard(line: Line, qos: int) -> None:
    with listening(line.one, line.port, line.topic) as hears:
        until(hears.subscribed.is_set)
        for forged in (line.topic, line.other):
            with connection(line.port, line.two) as made:
                assert answer(made, connect_packet()) == TAKEN
                assert answer(made, publish_packet(forged, qos)) == b""
        assert heard_by(line, hears) == [b"poll"]
        assert not hears.gone.is_set()


def test_a_will_is_no_way_to_publish(line: Line) -> None:
    with listening(line.one, line.port, line.topic) as hears:
        until(hears.subscribed.is_set)
        with connection(line.port, line.two) as made:
            answer(made, connect_packet(will=line.topic))
            with suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)  # without a DISCONNECT
        assert heard_by(line, hears) == [b"poll"]


def test_the_name_of_another_device_gives_nothing_of_its(line: Line) -> None:
    with (
        listening(line.one, line.port, line.topic, lasting=True, client_id="cam-1") as hears,
        listening(line.two, line.port, line.topic, lasting=True, client_id="cam-1") as thief,
    ):
        until(thief.refused.is_set)
        assert heard_by(line, hears) == [b"poll"]
        assert not hears.gone.is_set()
        assert thief.said == []


def test_a_newer_connection_ends_the_older(line: Line) -> None:
    with connection(line.port, line.one) as older:
        assert answer(older, connect_packet()) == TAKEN
        with listening(line.one, line.port, line.topic) as newer:
            assert answer(older, b"") == b""
            assert heard_by(line, newer) == [b"poll"]


def test_a_silent_device_is_disconnected(line: Line) -> None:
    with connection(line.port, line.one) as made:
        assert answer(made, connect_packet(keep_alive=1)) == TAKEN
        made.settimeout(60)
        assert made.recv(4) == b""


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
def test_what_no_device_sends_ends_the_connection(line: Line, packet: bytes) -> None:
    with connection(line.port, line.one) as made:
        assert answer(made, connect_packet()) == TAKEN
        assert answer(made, PING) == PONG
        assert answer(made, packet) == b""
    with listening(line.one, line.port, line.topic) as hears:
        assert heard_by(line, hears) == [b"poll"]


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n\r\n", PING, b"\x10\x02\x00\xff", b"\x10\x00"])
def test_what_does_not_begin_with_connect_is_closed(line: Line, first: bytes) -> None:
    with connection(line.port, line.one) as made:
        assert answer(made, first) == b""


def test_nothing_rides_along_in_a_packet(line: Line) -> None:
    hidden = publish_packet(line.topic, qos=1)
    with listening(line.one, line.port, line.topic) as hears, connection(line.port, line.two) as made:
        until(hears.subscribed.is_set)
        assert answer(made, connect_packet()) == TAKEN
        assert answer(made, PING[:1] + bytes([len(hidden)]) + hidden) == PONG
        assert answer(made, PING) == PONG  # and no PUBACK
        assert heard_by(line, hears) == [b"poll"]


def test_a_stranger_is_not_let_in(line: Line, tmp_path: Path) -> None:
    """Without a certificate, and with one in a device's name that another authority of the same name has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    forged = new_authority("tobo devices").issue(common_name(f"{line.fleet.name}/cam-1"), key.public_key(), CLIENT)
    for keys in (None, write_pair(tmp_path, pem(forged), key)):
        context = ssl.create_default_context(cafile=str(line.one / "authority.pem"))
        if keys is not None:
            context.load_cert_chain(*keys)
        with socket.create_connection(("127.0.0.1", line.port), timeout=30) as plain:
            try:
                with context.wrap_socket(plain, server_hostname="127.0.0.1") as made:
                    told = answer(made, connect_packet())
            except (ConnectionError, ssl.SSLError):
                told = b""
        assert told == b""


def test_the_servers_own_certificate_is_nobody_here(line: Line) -> None:
    """With mosquitto it may publish."""
    with connection(line.port, line.one, publisher_files(line.fleet.server.state)) as made:
        assert answer(made, connect_packet()) == DENIED


def test_a_certificate_that_is_not_the_devices_own(line: Line, tmp_path: Path) -> None:
    """Signed by the authority, in the device's name, and attached to nothing; then attached; then revoked."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(common_name(f"{line.fleet.name}/cam-1"))
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    iot = line.fleet.iot
    issued = iot.create_certificate_from_csr(certificateSigningRequest=text, setAsActive=True)
    keys = write_pair(tmp_path, issued["certificatePem"].encode(), key)

    def told() -> bytes:
        with connection(line.port, line.one, keys) as made:
            return answer(made, connect_packet())

    assert told() == DENIED
    iot.attach_thing_principal(thingName=f"{line.fleet.name}:cam-1", principal=issued["certificateArn"])
    assert told() == TAKEN
    iot.update_certificate(certificateId=issued["certificateId"], newStatus="REVOKED")
    assert told() == DENIED


def test_a_server_that_is_killed_loses_no_deployment(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server(TOBO_TLS_PORT="0", TOBO_MQTT=f"embedded:{free_port()}")
    line = enrolled_line(server, tmp_path)
    fleet = line.fleet
    with listening(line.one, line.port, line.topic) as hears:
        assert heard_by(line, hears) == [b"poll"]
        command = fleet.await_command("cam-1")
        hears.subscribed.clear()
        fleet.restart()
        assert fleet.told("cam-1") == command  # it polls
        until(hears.subscribed.is_set)  # by itself
        hears.said.clear()
        assert heard_by(line, hears) == [b"poll"]


def test_a_clean_stop_leaves_nothing(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server(TOBO_TLS_PORT="0", TOBO_MQTT="embedded:0")
    line = enrolled_line(server, tmp_path)
    with listening(line.one, line.port, line.topic) as hears, connection(line.port, line.two) as idle:
        until(hears.subscribed.is_set)
        assert answer(idle, connect_packet()) == TAKEN
        assert server.stop() == 0
    assert started_by(server.state) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", line.port)) != 0
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
