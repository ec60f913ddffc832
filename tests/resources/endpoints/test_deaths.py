"""Replicas that die under load: no answer is lost that a retry could save, and none is a wrong one."""

import os
import signal
import time

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import (
    asker,
    load,
    make_config,
    make_endpoint,
    make_named_model,
    named_variant,
    sagemaker_of,
    settled,
)
from tests.support.processes import running
from tests.support.unique import unique


@pytest.mark.parametrize("count", [1, 2])
def test_a_replica_killed_every_second_under_load(server: Server, count: int) -> None:
    """Each client checks every body; with one replica only, requests wait for the next one."""
    name = unique(f"mortals-{count}")
    make_named_model(server, name)
    make_endpoint(server, name, named_variant(name, count=count))
    killed: set[int] = set()
    with load(server, name, clients=3) as seen:
        for _ in range(4):
            for pid in list(running(server.state, f"/{name}/").values())[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            before = len(seen)
            time.sleep(1)
            assert len(seen) > before
    assert set(seen) == {name} and len(killed) >= 3


def test_a_replica_killed_in_mid_update_is_replaced(server: Server) -> None:
    steady = unique("steady")
    make_named_model(server, steady)
    make_endpoint(server, steady, named_variant(steady))
    make_config(server, f"{steady}-2", named_variant(make_named_model(server, f"{steady}-2", LOADING="3")))
    sagemaker = sagemaker_of(server)
    sagemaker.update_endpoint(EndpointName=steady, EndpointConfigName=f"{steady}-2")
    [pid] = [pid for name, pid in running(server.state, f"/{steady}/").items() if "-1/" in name]
    os.kill(pid, signal.SIGKILL)
    assert asker(server, steady)("x") == steady
    assert sagemaker.describe_endpoint(EndpointName=steady)["EndpointStatus"] == "Updating"
    assert "FailureReason" not in settled(server, steady)
    assert asker(server, steady)("x") == f"{steady}-2"


def test_a_request_that_kills_is_given_up(server: Server) -> None:
    fragile = unique("fragile")
    make_named_model(server, fragile)
    make_endpoint(server, fragile, named_variant(fragile))
    ask = asker(server, fragile)
    with pytest.raises(ClientError) as refused:
        ask("die")
    assert (
        refused.value.response["Error"]["Code"] == "ModelError" and refused.value.response["OriginalStatusCode"] == 500
    )
    assert "died while it worked on the request" in refused.value.response["OriginalMessage"]
    assert ask("fine") == fragile
