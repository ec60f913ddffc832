"""Devices that listen for nudges, in tests: enrolled by the command line, over TLS with their certificates."""

import json
import threading
import uuid
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.cli.test_commands import tobo
from tests.support.fleets import Fleet


class Listener:
    """A device that listens on a topic with its certificate, and comes back by itself after a broker was away.

    `heard` are the topics of what came, `said` what was in it. `lasting` asks for a session that outlives the connection.
    """

    def __init__(self, folder: Path, port: int, topic: str, lasting: bool = False, client_id: str = "") -> None:
        self.heard: list[str] = []
        self.said: list[bytes] = []
        self.refused, self.subscribed, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or uuid.uuid4().hex, clean_session=not lasting
        )
        self.client.tls_set(str(folder / "authority.pem"), str(folder / "device.pem"), str(folder / "device.key"))
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_subscribe = self._subscribed
        self.client.on_message = self._hear
        self.client.on_disconnect = lambda *_: self.gone.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _subscribed(self, client: Any, data: Any, number: Any, reasons: Any, properties: Any) -> None:
        (self.refused if reasons[0].is_failure else self.subscribed).set()

    def _hear(self, client: Any, data: Any, message: Any) -> None:
        self.heard.append(message.topic)
        self.said.append(message.payload)

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def enrolled(fleet: Fleet, device: str, folder: Path) -> tuple[Path, str]:
    """The enrolment folder of a device, and the topic that it has."""
    into = folder / device
    made = tobo("edge", "enroll", fleet.name, device, "--into", str(into), "--state", str(fleet.server.state))
    assert made.returncode == 0, made.stderr
    return into, json.loads((into / "device.json").read_text())["mqtt"]["topic"]
