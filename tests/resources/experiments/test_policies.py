"""Policies on experiments and lineage speak of the ARNs that those have."""

from collections.abc import Iterator
from typing import Any

import pytest

from tobo import app
from tobo.gateway.account import first_account
from tobo.kit.fault import Fault
from tobo.operations.context import Context, Principal
from tobo.operations.policy import Statement
from tobo.settings import Settings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    state = tmp_path_factory.mktemp("policies") / "state"
    context, _ = app.build(first_account(Settings(state=state, warm=False)))
    yield context
    for port in (context.hosting, context.compute, context.metrics, context.objects, context.store):
        port.close()


def ask(house: Context, allowed: str, operation: str, service: str = "sagemaker", **asked: Any) -> Any:
    """By somebody who may do everything on one kind of ARN."""
    account = house.settings.account_id or ""
    statement = Statement("Allow", ("sagemaker:*",), (f"arn:aws:sagemaker:us-east-1:{account}:{allowed}",))
    principal = Principal(account, f"arn:aws:iam::{account}:user/u", "u", statements=(statement,))
    return house.call(principal, "us-east-1", service, operation, **asked)


def test_each_kind_by_its_arn(house: Context) -> None:
    for operation, allowed, asked in (
        ("CreateExperiment", "experiment/e", {"ExperimentName": "e"}),
        ("CreateTrial", "experiment*", {"TrialName": "t", "ExperimentName": "e"}),
        ("DescribeTrial", "experiment-trial/t", {"TrialName": "t"}),
        ("CreateTrialComponent", "experiment-trial-component/c", {"TrialComponentName": "c"}),
        ("AssociateTrialComponent", "experiment-trial*", {"TrialComponentName": "c", "TrialName": "t"}),
        ("DescribeTrialComponent", "experiment-trial-component/c", {"TrialComponentName": "c"}),
        ("CreateArtifact", "artifact/*", {"Source": {"SourceUri": "s3://p"}, "ArtifactType": "X"}),
    ):
        with pytest.raises(Fault, match="not authorized"):
            ask(house, "model/*", operation, **asked)
        assert ask(house, allowed, operation, **asked)
    arn = ask(house, "*", "ListArtifacts")["ArtifactSummaries"][0]["ArtifactArn"]
    assert ask(house, "artifact/*", "DescribeArtifact", ArtifactArn=arn)["ArtifactArn"] == arn
    with pytest.raises(Fault, match="not authorized"):
        ask(house, "artifact/other", "DescribeArtifact", ArtifactArn=arn)
