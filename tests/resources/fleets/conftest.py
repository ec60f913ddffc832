"""A server that speaks TLS, and a fleet of a test's own in it."""

from collections.abc import Iterator

import pytest
from tests.conftest import Server
from tests.support.fleets import Fleet


@pytest.fixture(scope="session")
def fleet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    served = Server(tmp_path_factory.mktemp("fleets") / "state", {"TOBO_TLS_PORT": "0"})
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture
def fleet(fleet_server: Server) -> Fleet:
    return Fleet(fleet_server)
