"""A server that knows compilations by hand, and a fleet of a test's own in it."""

from collections.abc import Iterator

import pytest
from tests.conftest import Server
from tests.support.fleets import STAND_IN, Fleet


@pytest.fixture(scope="session")
def fleet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"PYTHONPATH": str(STAND_IN), "TOBO_TLS_PORT": "0"}
    served = Server(tmp_path_factory.mktemp("fleets") / "state", environment)
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture
def fleet(fleet_server: Server) -> Fleet:
    return Fleet(fleet_server)
