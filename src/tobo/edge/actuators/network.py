"""Arms behind a network: a controller that is told by HTTP or by MQTT. On a line of its own: the network is on the path."""

import http.client
import importlib
import json
from typing import Any
from urllib.parse import urlsplit

from tobo.edge.ports import ActuatorFault, Verdict


class HttpArm:
    """POSTs {"verdict": "ok"} or {"belt": "stop"}; any answer below 300 means done."""

    def __init__(self, url: str, timeout: float = 0.2) -> None:
        """`timeout` in seconds: an arm that answers later is no use to the part."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ActuatorFault(f"'{url}' is not the http:// address of an arm.")
        self._url, self._path = url, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def turn(self, verdict: Verdict) -> None:
        self._post({"verdict": verdict})

    def stop_belt(self) -> None:
        self._post({"belt": "stop"})

    def close(self) -> None:
        try:
            self.turn("ko")
        finally:
            self._connection.close()

    def _post(self, told: dict[str, str]) -> None:
        body = json.dumps(told).encode()
        for last in (False, True):
            fresh = self._connection.sock is None
            try:
                self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
                answer = self._connection.getresponse()
                answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                # A connection that was kept may have been closed by the arm; a fresh one that fails is a fault.
                if last or fresh or isinstance(error, TimeoutError):
                    raise ActuatorFault(
                        f"The arm at {self._url} does not answer ({error}); look at its network."
                    ) from None
        if answer.status >= 300:
            raise ActuatorFault(f"The arm at {self._url} answered {answer.status}; look at its log.")


class MqttArm:
    """Publishes ok or ko to `topic`, and stop to `topic`/belt, with quality of service 1."""

    def __init__(self, host: str, port: int, topic: str, timeout: float = 0.2) -> None:
        """Raises ActuatorFault where paho-mqtt is missing; the broker may come later."""
        try:
            client = importlib.import_module("paho.mqtt.client")
            enums = importlib.import_module("paho.mqtt.enums")
        except ImportError:
            raise ActuatorFault("paho-mqtt is not installed; `pip install 'tobo[edge]'`.") from None
        self._where, self._topic, self._timeout = f"{host}:{port}", topic, timeout
        self._client: Any = client.Client(enums.CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 10)
        self._client.connect_async(host, port, keepalive=15)
        self._client.loop_start()

    def turn(self, verdict: Verdict) -> None:
        self._publish(self._topic, verdict)

    def stop_belt(self) -> None:
        self._publish(f"{self._topic}/belt", "stop")

    def close(self) -> None:
        try:
            self.turn("ko")
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _publish(self, topic: str, text: str) -> None:
        # A command that waits for the broker to come back would turn the arm for another part.
        if not self._client.is_connected():
            raise ActuatorFault(f"The arm's broker at {self._where} is not connected; look at its network.")
        told = self._client.publish(topic, text, qos=1)
        try:
            told.wait_for_publish(self._timeout)
        except (RuntimeError, ValueError) as error:
            raise ActuatorFault(f"The arm's broker at {self._where} does not take commands ({error}).") from None
        if not told.is_published():
            raise ActuatorFault(f"The arm's broker at {self._where} does not answer; look at its network.")
