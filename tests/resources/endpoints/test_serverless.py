"""Serverless variants through boto3 on a server with a short idle time: at rest no process, woken by a request."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import (
    asker,
    make_config,
    make_endpoint,
    make_named_model,
    named_variant,
    sagemaker_of,
    serverless_variant,
    settled,
)
from tests.support.processes import running, until
from tests.support.unique import unique


@pytest.fixture(scope="module")
def drowsy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that puts a serverless variant to rest after half a second."""
    served = Server(tmp_path_factory.mktemp("drowsy") / "state", {"TOBO_SERVERLESS_IDLE_SECONDS": "0.5"})
    try:
        yield served.start()
    finally:
        served.end()


def at_rest(server: Server, name: str) -> None:
    until(lambda: not running(server.state, f"/{name}/"))


def test_it_rests_and_wakes_with_the_first_request_answered(drowsy: Server) -> None:
    sleeper = unique("sleeper")
    make_named_model(drowsy, sleeper)
    described = make_endpoint(drowsy, sleeper, serverless_variant(sleeper))
    [variant] = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 4}
    assert "DesiredInstanceCount" not in variant
    ask = asker(drowsy, sleeper)
    for number in range(3):
        at_rest(drowsy, sleeper)
        assert ask(str(number)) == sleeper
    [variant] = sagemaker_of(drowsy).describe_endpoint(EndpointName=sleeper)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 1


def test_many_requests_wake_it_together(drowsy: Server) -> None:
    crowd = unique("crowd")
    make_named_model(drowsy, crowd)
    make_endpoint(drowsy, crowd, serverless_variant(crowd, most=8))
    at_rest(drowsy, crowd)
    ask = asker(drowsy, crowd)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, map(str, range(8)))) == {crowd}


def test_more_requests_than_max_concurrency_are_throttled(drowsy: Server) -> None:
    narrow = unique("narrow")
    make_named_model(drowsy, narrow)
    make_endpoint(drowsy, narrow, serverless_variant(narrow, most=1))
    ask = asker(drowsy, narrow)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(ask, "sleep 1.5 s")
        until(slow.running)
        time.sleep(0.5)
        with pytest.raises(ClientError) as refused:
            ask("too many")
        assert refused.value.response["Error"]["Code"] == "ThrottlingException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert slow.result() == narrow
    assert ask("again") == narrow
    wish = {"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}
    sagemaker_of(drowsy).update_endpoint_weights_and_capacities(EndpointName=narrow, DesiredWeightsAndCapacities=[wish])
    [variant] = settled(drowsy, narrow)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 2}
    with ThreadPoolExecutor(2) as threads:
        assert set(threads.map(ask, ("sleep 0.3 a", "sleep 0.3 b"))) == {narrow}


def test_provisioned_concurrency_stays_awake(drowsy: Server) -> None:
    ready, unready = (unique(name) for name in ("ready", "unready"))
    make_named_model(drowsy, ready)
    make_endpoint(drowsy, ready, serverless_variant(ready, ProvisionedConcurrency=1))
    make_endpoint(drowsy, unready, serverless_variant(ready))
    at_rest(drowsy, unready)
    assert len(running(drowsy.state, f"/{ready}/")) == 1


def test_a_busy_one_is_not_put_to_rest(drowsy: Server) -> None:
    diligent = unique("diligent")
    make_named_model(drowsy, diligent)
    make_endpoint(drowsy, diligent, serverless_variant(diligent))
    assert asker(drowsy, diligent)("sleep 1.5 s") == diligent


def test_updates_between_serverless_and_instances(drowsy: Server) -> None:
    first, second, moving = (unique(name) for name in ("first", "second", "moving"))
    make_named_model(drowsy, first)
    make_named_model(drowsy, second)
    make_endpoint(drowsy, moving, serverless_variant(first))
    ask = asker(drowsy, moving)
    for config, variant, says in (
        (f"{moving}-2", named_variant(second), second),
        (f"{moving}-3", serverless_variant(first), first),
    ):
        make_config(drowsy, config, variant)
        at_rest(drowsy, moving) if says == second else None
        sagemaker_of(drowsy).update_endpoint(EndpointName=moving, EndpointConfigName=config)
        assert ask("meanwhile") in (first, second)
        assert "FailureReason" not in settled(drowsy, moving)
        assert ask("then") == says
    at_rest(drowsy, moving)
    assert ask("again") == first


def test_a_model_that_does_not_start_fails_the_endpoint(drowsy: Server) -> None:
    hopeless = unique("hopeless")
    described: dict[str, Any] = make_endpoint(
        drowsy, hopeless, serverless_variant(make_named_model(drowsy, hopeless, "broken"))
    )
    assert described["EndpointStatus"] == "Failed" and "broken on purpose" in described["FailureReason"]


def test_one_at_rest_wakes_after_a_restart_of_the_server(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_SERVERLESS_IDLE_SECONDS="0.3")
    make_named_model(server, "lasting")
    make_endpoint(server, "lasting", serverless_variant("lasting"))
    at_rest(server, "lasting")
    server.kill()
    server.start()
    assert asker(server, "lasting")("x") == "lasting"
