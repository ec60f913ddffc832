"""Peers: uvicorn's protocol, which tells the application the certificate that a client has shown (ASGI's TLS extension)."""

import asyncio
import ssl

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PeerProtocol(HttpToolsProtocol):
    """`scope["extensions"]["tls"]["client_cert_chain"]` is (certificate as PEM text,), or empty where none was shown.

    Only what OpenSSL has verified against the devices' authority comes so far. Source: ASGI TLS Extension, 0.2.
    """

    _tls: dict[object, object]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        shown = None if connection is None else connection.getpeercert(binary_form=True)
        self._tls = {
            "server_cert": None,
            "client_cert_chain": () if shown is None else (ssl.DER_cert_to_PEM_cert(shown),),
            "client_cert_name": None,
            "client_cert_error": None,
            "tls_version": None,
            "cipher_suite": None,
        }

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"tls": dict(self._tls)}
