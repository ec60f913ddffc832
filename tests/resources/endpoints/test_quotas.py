"""An endpoint has no more instances than the quota, however they are asked for."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import make_config, make_endpoint, make_named_model, named_variant
from tests.support.unique import unique

LIMIT = "The service limit 'Number of instances for an endpoint' is 20 instances, and {} were asked for"


def refused(call: Callable[..., Any], wanted: int, **asked: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**asked)
    told = error.value.response["Error"]
    assert told["Code"] == "ResourceLimitExceeded" and told["Message"].startswith(LIMIT.format(wanted)), told


def test_more_instances_than_the_quota_are_refused(server: Server) -> None:
    sagemaker, name = server.client("sagemaker"), unique("quota")
    make_named_model(server, name)
    for number, counts in enumerate(((21,), (1_000_000_000,), (15, 6))):
        variants = [named_variant(name, f"v{index}", count) for index, count in enumerate(counts)]
        config = make_config(server, f"{name}-{number}", *variants)  # it asks for nothing yet
        refused(sagemaker.create_endpoint, sum(counts), EndpointName=config, EndpointConfigName=config)
    assert make_endpoint(server, name, named_variant(name))["EndpointStatus"] == "InService"
    try:
        refused(sagemaker.update_endpoint, 21, EndpointName=name, EndpointConfigName=f"{name}-2")
        resize = sagemaker.update_endpoint_weights_and_capacities
        wish = {"VariantName": "AllTraffic", "DesiredInstanceCount": 21}
        refused(resize, 21, EndpointName=name, DesiredWeightsAndCapacities=[wish])
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    finally:
        sagemaker.delete_endpoint(EndpointName=name)
    assert not sagemaker.list_endpoints(NameContains=f"{name}-")["Endpoints"]


def test_the_administrator_sets_the_quota(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_MAX_INSTANCES="1")
    make_named_model(server, "two")
    make_config(server, "two", named_variant("two", count=2))
    with pytest.raises(ClientError, match="is 1 instances, and 2 were asked for"):
        server.client("sagemaker").create_endpoint(EndpointName="two", EndpointConfigName="two")
