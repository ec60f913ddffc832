"""The embedded broker: devices hear their nudges, and nobody but this server says anything. MQTT 3.1.1 by amqtt.

A connection needs a certificate of the devices' authority and leads to one topic, that of the device which the certificate
names. amqtt sees only what has passed here, on purpose: amqtt 0.12 publishes the will of whoever connects without asking
its plugins, gives a new connection the session, and with it the certificate, of any client id that it names, does nothing
when a keep-alive has passed, and takes packets of 256 MB.
"""

import asyncio
import hashlib
import itertools
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from amqtt.adapters import BufferReader, ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.mqtt import packet_class
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.packet import CONNECT, DISCONNECT, PINGREQ, SUBSCRIBE, UNSUBSCRIBE, MQTTFixedHeader, MQTTPacket
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session
from cryptography import x509
from cryptography.x509.oid import NameOID

from tobo.kit.fault import Fault

log = logging.getLogger("tobo.edge")

TopicOf = Callable[[str, str], str]
"""The topic that a device may hear, by its certificate's id and common name. Raises Fault where there is none."""

PATIENCE = 10.0
"""Seconds for a handshake, for a connection's first packet, and for stopping."""

LONGEST_PACKET = 4096
"""Bytes of a device's packet; a subscription to the longest topic takes a tenth of it."""

LONGEST_KEEP_ALIVE = 1200
"""Seconds; who asks for more, or for none at all, has this. AWS IoT Core's limit."""

PACE = 0.01
"""Seconds between two packets of one device: who floods waits in its own connection."""

_LISTENING = (SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT)
"""What a device has to send: it never publishes, and is sent nothing that it would have to acknowledge."""


class EmbeddedBroker:
    """A broker in a thread of its own, with an event loop of its own."""

    def __init__(self, listener: socket.socket, certificate: Path, key: Path, authority: Path) -> None:
        """`certificate` and `key` are shown to the devices, whose certificates `authority` has signed."""
        self._listener = listener
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._tls.load_verify_locations(authority)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._connections: dict[str, asyncio.StreamWriter] = {}
        self._numbers = itertools.count(1)
        self._ready = threading.Event()

    def start(self, topic_of: TopicOf) -> None:
        self._topic_of = topic_of
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the connections and gives the port back."""
        if self._thread.is_alive() and self._ready.wait(PATIENCE):
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE)

    def publish(self, topics: Sequence[str]) -> None:
        """Sends a message to each of the topics, for who listens now. Raises TimeoutError, RuntimeError after `stop`."""
        if not self._ready.wait(PATIENCE):
            raise TimeoutError("it has not started")
        asyncio.run_coroutine_threadsafe(self._publish(topics), self._loop).result(PATIENCE)

    async def _publish(self, topics: Sequence[str]) -> None:
        for topic in topics:
            await self._broker.internal_message_broadcast(topic, b"poll", qos=0)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("the embedded broker has ended; the devices poll")

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._broker = Broker(
            {"listeners": {"default": {"type": "external"}}, "plugins": {f"{__name__}.{OwnTopic.__name__}": {}}}
        )
        await self._broker.start()
        server = await asyncio.start_server(
            self._connected,
            sock=self._listener,
            ssl=self._tls,
            ssl_handshake_timeout=PATIENCE,
            ssl_shutdown_timeout=1.0,
        )
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        async with asyncio.timeout(PATIENCE / 2):
            await self._broker.shutdown()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the device goes."""
        topic = client = ""
        try:
            async with asyncio.timeout(PATIENCE):
                connect = await _read_packet(reader, (CONNECT,))
            topic = self._topic(writer, connect)
            patience = 1.5 * min(connect.keep_alive or LONGEST_KEEP_ALIVE, LONGEST_KEEP_ALIVE)
            client = _rewrite(connect, topic, next(self._numbers))
            older, self._connections[topic] = self._connections.get(topic), writer
            if older is not None:
                older.transport.abort()
            packets = _Packets(reader, writer, connect, client, patience)
            await self._broker.external_connected(packets, StreamWriterAdapter(writer), "default")
        except Fault:
            writer.write(ConnackPacket.build(0, NOT_AUTHORIZED).to_bytes())
        except Exception as error:  # what a stranger wrote can fail in many ways
            _note(writer.get_extra_info("peername"), error)
        finally:
            if topic and self._connections.get(topic) is writer:
                del self._connections[topic]
            if client in self._broker.sessions:  # however it ended: amqtt forgets those that are disconnected
                self._broker.sessions[client][0].transitions.disconnect()
            writer.close()

    def _topic(self, writer: asyncio.StreamWriter, connect: ConnectPacket) -> str:
        """The one of the device that has connected. Raises Fault AccessDenied, ValueError for one that wants to publish."""
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        names = x509.load_der_x509_certificate(shown).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value) if names else ""
        if connect.will_flag:
            raise ValueError(f"'{name}' has a will, and a device may publish nothing")
        return self._topic_of(hashlib.sha256(shown).hexdigest(), name)


class OwnTopic(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]
    """amqtt's question who may hear what: the user's name is the one topic that it may hear, see _rewrite."""

    async def authenticate(self, *, session: Session) -> bool:
        return session.username is not None

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        return session is not None and topic == session.username and action != Action.PUBLISH


class _Packets(ReaderAdapter):  # type: ignore[misc]
    """What amqtt reads of a device: its CONNECT as it was rewritten, then whole packets of the kinds that a listener needs.

    Ends at anything else, and after `patience` seconds without a packet.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connect: ConnectPacket,
        client: str,
        patience: float,
    ) -> None:
        self._reader, self._writer, self._client, self._patience = reader, writer, client, patience
        self._left: bytes = connect.to_bytes()
        self._over = False

    async def read(self, n: int = -1) -> bytes:
        if not self._left and n and not self._over:
            self._left = await self._next()
        taken, self._left = self._left[:n], self._left[n:]
        return taken

    async def _next(self) -> bytes:
        """A packet; nothing where the device is gone, or has to go."""
        await asyncio.sleep(PACE)
        try:
            async with asyncio.timeout(self._patience):
                await self._writer.drain()  # who does not read is not read either
                packet = await _read_packet(self._reader, _LISTENING)
        except Exception as error:
            self._over = True
            _note(self._client, error)
            return b""
        written: bytes = packet.to_bytes()
        return written

    def feed_eof(self) -> None:
        self._over = True


def _note(who: object, error: Exception) -> None:
    """Of a connection that is ended. Of one that has ended by itself nothing is said."""
    if not isinstance(error, EOFError | ConnectionError):
        log.warning("the broker ends the connection of %s (%s: %s)", who, type(error).__name__, error)


def _rewrite(connect: ConnectPacket, topic: str, number: int) -> str:
    """The client's id, new for each connection. Of what the device wrote nothing is left: no session of before, no keep-alive.

    The user's name is the topic that it may hear. A device that connects again has missed nothing but time.
    """
    client = f"{topic}#{number}"
    connect.client_id, connect.client_id_is_random = client, False
    connect.username, connect.username_flag = topic, True
    connect.password_flag, connect.clean_session_flag, connect.keep_alive = False, True, 0
    return client


async def _read_packet(reader: asyncio.StreamReader, kinds: Sequence[int]) -> MQTTPacket:
    """A whole packet as amqtt understands it; what it is written from again carries nothing besides.

    Raises EOFError at the end, ValueError for another kind or too long a packet, and what amqtt raises for a broken one.
    """
    header = await MQTTFixedHeader.from_stream(StreamReaderAdapter(reader))
    if header is None:
        raise EOFError
    if header.packet_type not in kinds:
        raise ValueError(f"packet type {header.packet_type} is not for a device to send")
    if header.remaining_length > LONGEST_PACKET:
        raise ValueError(f"a packet of {header.remaining_length} bytes")
    body = await reader.readexactly(header.remaining_length)
    return await packet_class(header).from_stream(BufferReader(body), fixed_header=header)
