"""Several variants of an endpoint: weights, TargetVariant, and changing weights and counts, through boto3."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import (
    asker,
    make_endpoint,
    make_named_model,
    named_variant,
    sagemaker_of,
    serverless_variant,
    settled,
)
from tests.support.processes import running, until
from tests.support.unique import unique


def summaries(described: dict[str, Any]) -> dict[str, tuple[float, float, int, int]]:
    """variant -> current and desired weight, current and desired count."""
    members = ("CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount")
    return {v["VariantName"]: tuple(v[member] for member in members) for v in described["ProductionVariants"]}


def resize(server: Server, name: str, **wishes: dict[str, Any]) -> dict[str, Any]:
    wanted = [{"VariantName": variant, **wish} for variant, wish in wishes.items()]
    asked = {"EndpointName": name, "DesiredWeightsAndCapacities": wanted}
    arn = sagemaker_of(server).update_endpoint_weights_and_capacities(**asked)["EndpointArn"]
    assert arn.endswith(f":endpoint/{name}")
    return settled(server, name)


@pytest.fixture(scope="module")
def two(server: Server) -> str:
    """An endpoint whose variants `a` and `b` have the weights 3 and 1; `c` has none."""
    weighed = unique("weighed")
    models = {variant: make_named_model(server, f"{weighed}-{variant}", f"v-{variant}") for variant in "abc"}
    weights = {"a": 3.0, "b": 1.0, "c": 0.0}
    variants = [named_variant(models[variant], variant, weight=weight) for variant, weight in weights.items()]
    assert make_endpoint(server, weighed, *variants)["EndpointStatus"] == "InService"
    return weighed


def test_traffic_goes_by_weight(server: Server, two: str) -> None:
    ask = asker(server, two)
    seen = Counter(ask(str(number)) for number in range(400))
    assert set(seen) == {"v-a", "v-b"}
    assert 240 < seen["v-a"] < 360  # 300 expected; eight standard deviations


def test_a_request_names_its_variant(server: Server, two: str) -> None:
    ask = asker(server, two)
    for variant in "abc":
        assert {ask(str(number), TargetVariant=variant) for number in range(5)} == {f"v-{variant}"}
    runtime = server.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=two, Body=b"x", TargetVariant="c")
    assert answer["InvokedProductionVariant"] == "c"
    with pytest.raises(ClientError, match=f"Variant d of endpoint {two} was not found; it has a, b, c"):
        ask("x", TargetVariant="d")


def test_weights_and_counts_change(server: Server) -> None:
    resized = unique("resized")
    one, other = (make_named_model(server, f"{resized}-{says}", says) for says in ("r-a", "r-b"))
    described = make_endpoint(server, resized, named_variant(one, "a"), named_variant(other, "b", weight=0))
    assert summaries(described) == {"a": (1, 1, 1, 1), "b": (0, 0, 1, 1)}
    described = resize(server, resized, b={"DesiredWeight": 1.0, "DesiredInstanceCount": 2}, a={"DesiredWeight": 0})
    assert described["EndpointStatus"] == "InService" and "FailureReason" not in described
    assert summaries(described) == {"a": (0, 0, 1, 1), "b": (1, 1, 2, 2)}
    ask = asker(server, resized)
    assert {ask(str(number)) for number in range(20)} == {"r-b"}
    assert len(running(server.state, f"/{resized}/")) == 3
    described = resize(server, resized, b={"DesiredInstanceCount": 1})
    assert summaries(described)["b"] == (1, 1, 1, 1)
    until(lambda: len(running(server.state, f"/{resized}/")) == 2)
    assert {ask(str(number)) for number in range(20)} == {"r-b"}


def test_a_paused_endpoint_says_so_and_resumes(server: Server) -> None:
    paused = unique("paused")
    make_named_model(server, paused)
    make_endpoint(server, paused, named_variant(paused))
    ask = asker(server, paused)
    described = resize(server, paused, AllTraffic={"DesiredInstanceCount": 0})
    assert described["EndpointStatus"] == "InService" and summaries(described)["AllTraffic"] == (1, 1, 0, 0)
    until(lambda: not running(server.state, f"/{paused}/"))
    for asked in ({}, {"TargetVariant": "AllTraffic"}):
        with pytest.raises(ClientError) as refused:
            ask("x", **asked)
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationError" and "is paused: it has 0 instances" in error["Message"]
    assert summaries(resize(server, paused, AllTraffic={"DesiredInstanceCount": 2}))["AllTraffic"] == (1, 1, 2, 2)
    assert ask("x") == paused


def test_replicas_that_cannot_be_added_are_taken_back(server: Server, tmp_path: Path) -> None:
    growing = unique("growing")
    make_named_model(server, growing, BROKEN_WHILE=str(tmp_path / "broken"))
    make_endpoint(server, growing, named_variant(growing))
    (tmp_path / "broken").touch()
    described = resize(server, growing, AllTraffic={"DesiredInstanceCount": 3, "DesiredWeight": 7})
    assert described["EndpointStatus"] == "InService" and "broken on purpose" in described["FailureReason"]
    assert summaries(described)["AllTraffic"] == (1, 1, 1, 1)
    until(lambda: len(running(server.state, f"/{growing}/")) == 1)
    assert asker(server, growing)("x") == growing
    (tmp_path / "broken").unlink()
    described = resize(server, growing, AllTraffic={"DesiredInstanceCount": 2})
    assert "FailureReason" not in described and summaries(described)["AllTraffic"] == (1, 1, 2, 2)


def test_what_a_resize_refuses(server: Server, two: str) -> None:
    sized_serverless = unique("sized-serverless")
    sagemaker = sagemaker_of(server)
    make_named_model(server, sized_serverless)
    make_endpoint(server, sized_serverless, serverless_variant(sized_serverless, most=2))
    cases: list[tuple[str, list[dict[str, Any]], str]] = [
        ("nobody", [{"VariantName": "a"}], "Could not find endpoint"),
        (two, [{"VariantName": "d", "DesiredWeight": 1.0}], "has no variant d; its variants are a, b, c"),
        (two, [{"VariantName": "a"}, {"VariantName": "a"}], "names a variant twice"),
        (two, [{"VariantName": "a", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}], "is not serverless"),
        (sized_serverless, [{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}], "has no instances"),
        (
            sized_serverless,
            [{"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"ProvisionedConcurrency": 3}}],
            "more than its MaxConcurrency 2",
        ),
    ]
    for name, wishes, says in cases:
        with pytest.raises(ClientError, match=says) as refused:
            sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wishes)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert settled(server, two)["EndpointStatus"] == "InService"
