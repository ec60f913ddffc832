"""What models and endpoint configurations refuse, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import IMAGE, ROLE
from tests.support.named import make_config, make_named_model, named_variant, sagemaker_of, serverless_variant
from tests.support.unique import unique


def test_what_a_configuration_refuses(server: Server) -> None:
    c = unique("c")
    make_named_model(server, c)
    one, two = named_variant(c, "one"), named_variant(c, "two")
    cases: list[tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = [
        ([one, two], [named_variant(c, "three")], "1 entries beside 2 ProductionVariants"),
        ([one], [two, named_variant(c, "three")], "2 entries beside 1 ProductionVariants"),
        ([one], [one], "Two variants are called 'one'"),
        ([one, one], [], "Two variants are called 'one'"),
        ([one], [serverless_variant(c, "two")], "shadows need instances"),
        ([one], [named_variant("nothing", "two")], "Could not find model"),
        ([{"VariantName": "one", "InstanceType": "ml.t2.medium"}], [], "inference components are not supported"),
        ([{"VariantName": "one", "ModelName": c}], [], "or a ServerlessConfig"),
        ([{**one, **serverless_variant(c, "one")}], [], "leave InstanceType and InitialInstanceCount out"),
        ([serverless_variant(c, MemorySizeInMB=1500)], [], "MemorySizeInMB 1500 of variant 'AllTraffic' is not"),
        ([serverless_variant(c, most=2, ProvisionedConcurrency=3)], [], "more than its MaxConcurrency 2"),
    ]
    for production, shadows, says in cases:
        asked = {"ShadowProductionVariants": shadows} if shadows else {}
        with pytest.raises(ClientError, match=says) as refused:
            make_config(server, "refused", *production, **asked)
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_what_is_described_is_what_was_asked(server: Server) -> None:
    d = unique("d")
    make_named_model(server, d)
    shadows = [named_variant(d, "shadow", weight=0.5)]
    make_config(server, d, named_variant(d, "real"), ShadowProductionVariants=shadows)
    described = sagemaker_of(server).describe_endpoint_config(EndpointConfigName=d)
    assert described["ProductionVariants"] == [named_variant(d, "real")]
    assert described["ShadowProductionVariants"] == shadows
    make_config(server, f"{d}-2", serverless_variant(d))
    [variant] = sagemaker_of(server).describe_endpoint_config(EndpointConfigName=f"{d}-2")["ProductionVariants"]
    assert variant == {**serverless_variant(d), "InitialVariantWeight": 1.0}


def test_pipelines_are_refused(server: Server) -> None:
    with pytest.raises(ClientError, match="inference pipelines are not supported") as refused:
        sagemaker_of(server).create_model(ModelName="piped", ExecutionRoleArn=ROLE, Containers=[{"Image": IMAGE}] * 2)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
