"""Arms: the pulses, levels and messages that they send, rest at ko, and a belt that stops when one does not obey."""

import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.scripted_line import Brightness, grey, scripted

from tobo.edge.actuators.gpio import Relay, Servo
from tobo.edge.actuators.network import HttpArm, MqttArm
from tobo.edge.actuators.silent import NoActuator
from tobo.edge.loop import Line, Loop, Model
from tobo.edge.ports import ActuatorFault


@pytest.fixture
def pins() -> Iterator[Any]:
    """gpiozero's own mock: pins without a board."""
    gpiozero = pytest.importorskip("gpiozero")
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


def pulse(pin: Any) -> float:
    """Milliseconds high in each period."""
    return float(pin.state / pin.frequency * 1000)


@pytest.mark.parametrize(("angle", "milliseconds"), [(-90.0, 0.5), (0.0, 1.5), (90.0, 2.5), (45.0, 2.0)])
def test_a_servos_pulses(pins: Any, angle: float, milliseconds: float) -> None:
    servo = Servo(18, ok_angle=angle, ko_angle=-90.0)
    pin = pins.pin(18)
    assert pin.frequency == 50 and pulse(pin) == pytest.approx(0.5)
    servo.turn("ok")
    assert pulse(pin) == pytest.approx(milliseconds)
    servo.turn("ko")
    assert pulse(pin) == pytest.approx(0.5)
    servo.close()


def test_a_servo_that_fails_stops_the_belt(pins: Any) -> None:
    servo = Servo(18, belt_pin=23)
    belt = pins.pin(23)
    assert belt.state == 1
    line, _, _ = scripted([grey(0.9)] * 2)
    loop = Loop(Line(line.timer, line.trigger, line.camera, servo), Model(Brightness()))
    loop.step(1.0)
    assert belt.state == 1
    servo._servo.close()  # as when the pin is taken away
    record = loop.step(1.0)
    assert record is not None and record.arm_fault is not None
    assert "The servo does not obey" in record.arm_fault and belt.state == 0


def test_a_relay_falls_to_ko(pins: Any) -> None:
    relay = Relay(5, belt_pin=6)
    pin, belt = pins.pin(5), pins.pin(6)
    assert (pin.state, belt.state) == (0, 1)
    relay.turn("ok")
    assert pin.state == 1
    relay.turn("ko")
    assert pin.state == 0
    relay.turn("ok")
    relay.stop_belt()
    assert belt.state == 0
    relay.close()
    assert pin.state == 0


@pytest.mark.parametrize("make", [lambda: Servo(99), lambda: Relay(99), lambda: Servo(5, belt_pin=99)])
def test_a_pin_that_cannot_be_used_is_a_sentence(pins: Any, make: Callable[[], object]) -> None:
    with pytest.raises(ActuatorFault, match="name another pin"):
        make()


def test_a_missing_library_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(ActuatorFault, match="gpiozero is not installed; `apt install"):
        Servo(18)


class Controller(http.server.BaseHTTPRequestHandler):
    """An arm's controller."""

    protocol_version = "HTTP/1.1"
    told: list[dict[str, str]]
    status = 200
    waits = 0.0

    def do_POST(self) -> None:
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.waits)
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def controller() -> Iterator[tuple[type[Controller], str]]:
    kind = type("Bound", (Controller,), {"told": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield kind, f"http://127.0.0.1:{server.server_port}/arm"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_arm_over_http(controller: tuple[type[Controller], str]) -> None:
    kind, url = controller
    arm = HttpArm(url, timeout=5)
    arm.turn("ok")
    arm.stop_belt()
    arm.close()
    assert kind.told == [{"verdict": "ok"}, {"belt": "stop"}, {"verdict": "ko"}]


def test_an_arm_over_http_that_refuses_or_is_slow_or_away_is_a_fault(controller: tuple[type[Controller], str]) -> None:
    kind, url = controller
    kind.status = 500
    with pytest.raises(ActuatorFault, match="answered 500"):
        HttpArm(url, timeout=5).turn("ok")
    kind.waits = 1.0
    with pytest.raises(ActuatorFault, match="does not answer"):
        HttpArm(url, timeout=0.05).turn("ok")
    assert len(kind.told) == 2  # what may have been done is not commanded twice
    with pytest.raises(ActuatorFault, match="does not answer"):
        HttpArm("http://127.0.0.1:1/").turn("ok")
    with pytest.raises(ActuatorFault, match="is not the http:// address"):
        HttpArm("ftp://x")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program, "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    yield port
    process.terminate()
    process.wait()


def test_an_arm_over_mqtt(broker: int) -> None:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    told: list[tuple[str, bytes]] = []
    listener = Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda _client, _data, message: told.append((message.topic, message.payload))
    subscribed = threading.Event()
    listener.on_subscribe = lambda *_: subscribed.set()
    listener.on_connect = lambda client, *_: client.subscribe("line/arm/#", qos=1)
    listener.connect_async("127.0.0.1", broker)
    listener.loop_start()
    arm = MqttArm("127.0.0.1", broker, "line/arm", timeout=5)
    try:
        assert subscribed.wait(20)
        until(lambda: arm._client.is_connected())
        arm.turn("ok")
        arm.stop_belt()
        arm.close()
        until(lambda: len(told) == 3)
        assert told == [("line/arm", b"ok"), ("line/arm/belt", b"stop"), ("line/arm", b"ko")]
    finally:
        listener.disconnect()
        listener.loop_stop()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_arm_whose_broker_is_away_is_a_fault() -> None:
    arm = MqttArm("127.0.0.1", 1, "line/arm")
    with pytest.raises(ActuatorFault, match="is not connected"):
        arm.turn("ok")
    with pytest.raises(ActuatorFault, match="is not connected"):
        arm.close()


def test_no_arm_moves_nothing() -> None:
    arm = NoActuator()
    arm.turn("ok")
    assert arm.verdict == "ok"
    arm.stop_belt()
    arm.close()
    assert arm.verdict == "ko"
