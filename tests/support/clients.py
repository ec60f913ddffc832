"""boto3 clients that are used again: making one costs more than most requests."""

from typing import Any

from tests.conftest import Server

_MADE: dict[tuple[str, str], Any] = {}


def client(server: Server, service: str) -> Any:
    """The client of a service for the server's present address."""
    at = server.endpoint, service
    if at not in _MADE:
        _MADE[at] = server.client(service)
    return _MADE[at]
