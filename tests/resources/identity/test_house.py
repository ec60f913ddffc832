"""What the house asks of identity: a job's credentials, also for roles of other people's accounts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tobo import app
from tobo.gateway.account import first_account
from tobo.kit.fault import Fault
from tobo.operations.context import Context, Principal
from tobo.resources.identity.keyring import BadToken, UnknownKey, ring_of
from tobo.settings import Settings


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Context]:
    context, _ = app.build(first_account(Settings(state=tmp_path / "state", warm=False)))
    yield context
    for port in (context.hosting, context.compute, context.metrics, context.objects, context.store):
        port.close()


def ask(house: Context, principal: Principal, **asked: Any) -> Any:
    return house.call(principal, "us-east-1", "sts", "AssumeRole", RoleSessionName="job", **asked)


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:iam::{account}:role/service-role/AmazonSageMaker-ExecutionRole", "arn:aws:iam::111122223333:role/theirs"],
)
def test_a_job_gets_its_role(house: Context, arn: str) -> None:
    """A role of another account stands for the execution role, and the session says so."""
    account = house.settings.account_id or ""
    service = Principal(account, "sagemaker.amazonaws.com", "sagemaker.amazonaws.com")
    answer = ask(house, service, RoleArn=arn.format(account=account))
    found = answer["Credentials"]
    credential = ring_of(house).find(found["AccessKeyId"], found["SessionToken"])
    assert credential.secret == found["SecretAccessKey"]
    assert credential.principal.arn == f"arn:aws:sts::{account}:assumed-role/AmazonSageMaker-ExecutionRole/job"
    assert found["Expiration"] - house.clock.now() > 27 * 86_400
    house.call(credential.principal, "us-east-1", "s3", "ListBuckets")
    with pytest.raises(Fault, match="not authorized"):
        house.call(credential.principal, "us-east-1", "iam", "CreateUser", UserName="u")


def test_only_the_house_may_name_a_role_that_is_not_there(house: Context) -> None:
    root = ring_of(house).find(house.settings.root_access_key_id or "", None).principal
    with pytest.raises(Fault, match="not authorized"):
        ask(house, root, RoleArn="arn:aws:iam::111122223333:role/theirs")
    with pytest.raises(Fault, match="not authorized"):
        ask(house, replace(root, statements=()), RoleArn="arn:aws:iam::111122223333:role/theirs")


def test_unknown_keys(house: Context) -> None:
    ring = ring_of(house)
    with pytest.raises(UnknownKey):
        ring.find("AKIAIOSFODNN7EXAMPLE", None)
    with pytest.raises(BadToken):
        ring.find("ASIAIOSFODNN7EXAMPLE", None)
    with pytest.raises(BadToken):
        ring.find(house.settings.root_access_key_id or "", "token")
