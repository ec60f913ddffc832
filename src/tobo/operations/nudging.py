"""Nudges: an MQTT message to devices that they may poll at once. Best effort; devices poll anyway.

Nothing else travels this way: a message that is lost, forged or replayed changes nothing but the time of the
next poll. The server hands it to its embedded broker, or to another one as a client: with mqtts:// it shows a certificate
of the devices' authority, named "tobo", and checks the broker's against the same authority.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tobo.operations.context import Context
from tobo.operations.edge import nudge_topic
from tobo.store.base import Row

if TYPE_CHECKING:
    from paho.mqtt.client import Client

log = logging.getLogger("tobo.edge")

PATIENCE = 5.0
"""Seconds for the broker, from the connection to the last acknowledgement."""


def nudge_devices(context: Context, rows: Sequence[Row]) -> bool:
    """Publishes to the device of each row (a device, or what one was told); whether the broker has taken all. Never raises."""
    address = context.settings.mqtt
    if address is None or not rows:
        return False
    topics = [nudge_topic(row.key.space, row.asked["DeviceFleetName"], row.asked["DeviceName"]) for row in rows]
    try:
        if context.nudge is not None:
            context.nudge(topics)
        else:
            _publish(context, address, topics)
    except Exception as error:
        log.warning("%s took no nudge (%s: %s); the devices poll anyway", address, type(error).__name__, error)
        return False
    return True


def _publish(context: Context, address: str, topics: Sequence[str]) -> None:
    """Raises OSError, TimeoutError, or what paho raises."""
    deadline = time.monotonic() + PATIENCE
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    client, connected = _client(context, scheme == "mqtts")
    try:
        client.connect(host, int(port), keepalive=int(PATIENCE))
        client.loop_start()
        if not connected.wait(PATIENCE):
            raise TimeoutError("no answer to CONNECT")
        sent = [client.publish(topic, b"poll", qos=1) for topic in topics]
        for message in sent:
            message.wait_for_publish(max(0.0, deadline - time.monotonic()))
            if not message.is_published():
                raise TimeoutError("no acknowledgement")
    finally:
        client.disconnect()
        client.loop_stop()


def _client(context: Context, tls: bool) -> tuple["Client", threading.Event]:
    """The client, and what is set once the broker has taken it."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    connected = threading.Event()

    def note(client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not reason.is_failure:
            connected.set()

    client = Client(CallbackAPIVersion.VERSION2)
    client.connect_timeout = PATIENCE
    client.on_connect = note
    if tls:
        from tobo.operations.certificates import authority_file, publisher_files

        certificate, key = publisher_files(context.settings.state)
        client.tls_set(
            ca_certs=str(authority_file(context.settings.state)), certfile=str(certificate), keyfile=str(key)
        )
    return client, connected
