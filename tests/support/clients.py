"""boto3 clients that are used again: making one costs more than most requests."""

from typing import Any

import botocore.loaders
import pytest
from tests.conftest import Server

_MADE: dict[tuple[str, str], Any] = {}


def client(server: Server, service: str) -> Any:
    """The client of a service for the server's present address."""
    at = server.endpoint, service
    if at not in _MADE:
        _MADE[at] = server.client(service)
    return _MADE[at]


def client_speaking(server: Server, service: str, protocol: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """boto3's client as if the service model knew this protocol alone."""
    load = botocore.loaders.Loader.load_service_model

    def narrowed(self: Any, name: str, kind: str, *rest: Any, **named: Any) -> Any:
        model = load(self, name, kind, *rest, **named)
        if kind == "service-2":
            model["metadata"] = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
        return model

    monkeypatch.setattr(botocore.loaders.Loader, "load_service_model", narrowed)
    return server.client(service)
