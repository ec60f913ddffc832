"""A server whose scaling periods are short, and endpoints to be scaled."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.named import make_endpoint, make_named_model, named_variant
from tests.support.unique import unique

WHERE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@pytest.fixture(scope="session")
def scaling_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    served = Server(tmp_path_factory.mktemp("scaling") / "state", {"TOBO_SCALING_PERIOD_SECONDS": "0.2"})
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture
def scaling(scaling_server: Server) -> Any:
    return scaling_server.client("application-autoscaling")


@pytest.fixture
def endpoint(scaling_server: Server) -> Iterator[Callable[..., str]]:
    """`endpoint(count=2)` makes one of a model that answers with its name; deleted after the test."""
    made: list[str] = []

    def make(count: int = 1, **variant: Any) -> str:
        name = unique("scaled")
        make_named_model(scaling_server, name)
        described = make_endpoint(scaling_server, name, named_variant(name, count=count, **variant))
        assert described["EndpointStatus"] == "InService", described
        made.append(name)
        return name

    yield make
    for name in made:
        scaling_server.client("sagemaker").delete_endpoint(EndpointName=name)


@pytest.fixture(scope="session")
def calm_endpoint(scaling_server: Server) -> str:
    """One that nobody invokes, for all tests of the operations."""
    calm = unique("calm")
    make_named_model(scaling_server, calm)
    make_endpoint(scaling_server, calm, named_variant(calm))
    return calm


@pytest.fixture
def place(scaling: Any, calm_endpoint: str) -> Iterator[dict[str, str]]:
    """The variant of that endpoint, not registered before and after."""
    where = resource(calm_endpoint)
    yield where
    with contextlib.suppress(scaling.exceptions.ObjectNotFoundException):
        scaling.deregister_scalable_target(**where)


def resource(endpoint: str) -> dict[str, str]:
    return {**WHERE, "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic"}
