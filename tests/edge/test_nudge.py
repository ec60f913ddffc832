"""The nudge: over mosquitto with TLS and the device's certificate; lost, forged or replayed, it only makes us ask."""

import getpass
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.house import House, certificate, house, write_certificate

from tobo.edge import enrolment
from tobo.edge.nudge import Nudge

TOPIC = "tobo/111122223333/eu-central-1/line/line-1/nudge"


@dataclass
class Broker:
    """mosquitto on a port that stays over a restart."""

    home: House
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program is not None
        folder = self.home.folder
        (folder / "mosquitto.conf").write_text(
            f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nrequire_certificate true\n"
            f"cafile {folder / 'authority.pem'}\ncertfile {folder / 'server.pem'}\nkeyfile {folder / 'server.key'}\n"
        )
        command = [program, "-c", str(folder / "mosquitto.conf")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with house(tmp_path / "house") as made:
        file = made.enrolment / "device.json"
        mqtt = {"host": "localhost", "port": port, "topic": TOPIC}
        file.write_text(json.dumps(json.loads(file.read_text()) | {"mqtt": mqtt}))
        started = Broker(made, port)
        started.start()
        yield started
        started.stop()


def publish(broker: Broker, topic: str, payload: bytes) -> None:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2)
    enrolled = broker.home.enrolment
    client.tls_set(str(enrolled / "authority.pem"), str(enrolled / "device.pem"), str(enrolled / "device.key"))
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect_async("localhost", broker.port)
    client.loop_start()
    assert connected.wait(20)
    client.publish(topic, payload, qos=1).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_message_wakes_and_a_broker_that_was_away_is_found_again(broker: Broker) -> None:
    woken: list[float] = []
    nudge = Nudge(enrolment.read(broker.home.enrolment), lambda: woken.append(time.monotonic()))
    try:
        until(lambda: len(woken) == 1)  # connected: something may have been missed
        publish(broker, TOPIC, b"poll now")
        until(lambda: len(woken) == 2)
        publish(broker, TOPIC, b"\x00\xff forged or replayed: only another question")
        until(lambda: len(woken) == 3)
        publish(broker, TOPIC.replace("line-1", "line-2"), b"another device's")
        publish(broker, TOPIC, b"ours")
        until(lambda: len(woken) == 4)
        broker.stop()
        broker.start()
        until(lambda: len(woken) == 5)
        assert len(woken) == 5
    finally:
        nudge.close()


def test_a_broker_that_is_not_the_houses_hears_nothing(broker: Broker) -> None:
    write_certificate(broker.home.folder, "other", certificate("authority"))
    (broker.home.enrolment / "authority.pem").write_bytes((broker.home.folder / "other.pem").read_bytes())
    woken: list[Any] = []
    nudge = Nudge(enrolment.read(broker.home.enrolment), lambda: woken.append(1))
    tried = threading.Event()
    nudge._client.on_connect_fail = lambda *_: tried.set()
    try:
        assert tried.wait(20) and woken == []
    finally:
        nudge.close()
