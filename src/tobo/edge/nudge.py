"""The nudge: a message on the device's MQTT topic says that something waits. Its content is ignored, its loss too."""

import logging
from collections.abc import Callable
from typing import Any

from tobo.edge.enrolment import Enrolment

log = logging.getLogger(__name__)


class Nudge:
    """Listens, and comes back by itself after a broker was away."""

    def __init__(self, enrolment: Enrolment, nudged: Callable[[], None], tls: bool = True) -> None:
        """Raises ImportError where paho-mqtt is not installed, ValueError where the enrolment names no broker."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        if enrolment.mqtt is None:
            raise ValueError("the enrolment names no MQTT broker")
        self._topic, self._nudged = enrolment.mqtt.topic, nudged
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"tobo-{enrolment.fleet}-{enrolment.device}")
        if tls:
            self._client.tls_set(str(enrolment.authority), str(enrolment.certificate), str(enrolment.key))
        self._client.reconnect_delay_set(1, 120)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._hear
        self._client.connect_async(enrolment.mqtt.host, enrolment.mqtt.port, keepalive=60)
        self._client.loop_start()

    def _subscribe(self, client: Any, *_: Any) -> None:
        client.subscribe(self._topic, qos=1)
        self._nudged()  # something may have happened while we were away

    def _hear(self, *_: Any) -> None:
        self._nudged()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
