"""Every List of SageMaker that is built, against its own model: filters, orders, pages, and tokens that are not its own.

The table is drawn from the dispatch table: a List that is built tomorrow is tested tomorrow.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, StructureShape
from tests.conftest import Server
from tests.support.resources import make_resources

from tobo import resources
from tobo.operations.registry import TABLE
from tobo.wire.models import operation_model

REGION = "ap-south-1"
NAMES = ("alpha-list", "beta-list", "gamma-list")
PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_EMPTY_NOW = {"After": FUTURE, "Before": PAST}
_FULL_NOW = {"After": PAST, "Before": FUTURE}

resources.load()
LISTS = sorted(name for service, name in TABLE if service == "sagemaker" and name.startswith("List"))
OF_ONE = {"ListPipelineExecutionSteps"}
"""Lists of one resource's parts, although their models do not say that it must be named."""

PLAIN = [
    name for name in LISTS if name not in OF_ONE and not operation_model("sagemaker", name).input_shape.required_members
]
OF_SOMETHING: dict[str, dict[str, str]] = {
    "ListTrainingJobsForHyperParameterTuningJob": {"HyperParameterTuningJobName": NAMES[0]},
}
"""What lists of another resource's parts are asked for."""


def members(name: str) -> dict[str, Any]:
    return dict(operation_model("sagemaker", name).input_shape.members)


def sort_values(name: str) -> list[str]:
    return list(getattr(members(name).get("SortBy"), "enum", []))


@pytest.fixture(scope="module")
def sagemaker(server: Server) -> Any:
    make_resources(server, REGION, NAMES)
    return server.client("sagemaker", region=REGION)


def ask(sagemaker: Any, name: str, **asked: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    return [one for page in pages(sagemaker, name, **asked) for one in page]


def pages(sagemaker: Any, name: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    token: dict[str, str] = {}
    while True:
        answer = getattr(sagemaker, xform_name(name))(**asked, **OF_SOMETHING.get(name, {}), **token)
        yield answer[result_member(name)]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}


def result_member(name: str) -> str:
    shape = operation_model("sagemaker", name).output_shape
    assert isinstance(shape, StructureShape)
    return next(member for member, of in shape.members.items() if isinstance(of, ListShape))


def value_of(one: dict[str, Any], order: str) -> Any:
    """A summary's value of what it was sorted by: CreationTime, or the one member that ends in Name or Status."""
    if order in one:
        return one[order]
    found = [value for member, value in one.items() if member.endswith(order)]
    return found[0]


@pytest.mark.parametrize("name", [*PLAIN, *OF_SOMETHING])
@pytest.mark.parametrize("token", ["garbage", "NQ==", "WyJhIiwiYiIsMV0=", "ä"])
def test_a_token_that_is_none_is_refused(sagemaker: Any, name: str, token: str) -> None:
    if "NextToken" not in members(name):
        return
    with pytest.raises(ClientError, match="NextToken") as refused:
        ask(sagemaker, name, NextToken=token)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("name", PLAIN)
def test_a_token_of_another_list_is_refused(sagemaker: Any, name: str) -> None:
    other = "ListExperiments" if name != "ListExperiments" else "ListModels"
    token = getattr(sagemaker, xform_name(other))(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="NextToken belongs to a request with other filters"):
        ask(sagemaker, name, NextToken=token)


def test_a_token_whose_inside_was_changed_is_refused(sagemaker: Any) -> None:
    token = sagemaker.list_models(MaxResults=1)["NextToken"]
    seal = base64.urlsafe_b64decode(token).split(b",")[0]
    for inside in (b'{"a":1},1]', b"1,1.5]", b'"x",99999999999999999999]', b"1e999,1]", b"null,null]"):
        forged = base64.urlsafe_b64encode(seal + b"," + inside).decode()
        with pytest.raises(ClientError, match="NextToken is not one"):
            sagemaker.list_models(NextToken=forged)


@pytest.mark.parametrize("name", PLAIN)
def test_bounds_of_time(sagemaker: Any, name: str) -> None:
    whole = ask(sagemaker, name)
    for member in members(name):
        side = next((side for side in ("After", "Before") if member.endswith(side)), None)
        if side is not None:
            assert ask(sagemaker, name, **{member: _EMPTY_NOW[side]}) == [], member
            assert len(ask(sagemaker, name, **{member: _FULL_NOW[side]})) == len(whole), member


@pytest.mark.parametrize("name", [name for name in PLAIN if "NameContains" in members(name)])
def test_names(sagemaker: Any, name: str) -> None:
    whole = ask(sagemaker, name)
    assert ask(sagemaker, name, NameContains="nothing-is-called-so") == []
    if len(whole) > 1:  # of workforces a region has one
        listed = ask(sagemaker, name, NameContains="BETA-l")
        assert len(listed) < len(whole) and all("beta-list" in value_of(one, "Name") for one in listed) and listed


@pytest.mark.parametrize("name", [name for name in LISTS if "StatusEquals" in members(name)])
def test_statuses(sagemaker: Any, name: str) -> None:
    """Together they are all; each gives only its own."""
    count = 0
    for status in members(name)["StatusEquals"].enum:
        listed = ask(sagemaker, name, StatusEquals=status)
        assert all(value_of(one, "Status") == status for one in listed)
        count += len(listed)
    assert count == len(ask(sagemaker, name))


@pytest.mark.parametrize(
    ("name", "order"), [(name, order) for name in [*PLAIN, *OF_SOMETHING] for order in sort_values(name)]
)
def test_orders_and_pages(sagemaker: Any, name: str, order: str) -> None:
    up = list(pages(sagemaker, name, SortBy=order, SortOrder="Ascending", MaxResults=2))
    assert all(len(page) == 2 for page in up[:-1])
    whole = [one for page in up for one in page]
    if order in ("Name", "CreationTime", "LastModifiedTime", "Status") and whole:
        values = [value_of(one, order) for one in whole]
        assert values == sorted(values)
    assert ask(sagemaker, name, SortBy=order, SortOrder="Descending") == whole[::-1]


def test_the_kinds_that_are_tested_have_rows(sagemaker: Any) -> None:
    """So that an order or a filter has something to be wrong about."""
    for name in ("ListTrainingJobs", "ListTransformJobs", "ListModels", "ListEndpoints", "ListEndpointConfigs"):
        assert len(ask(sagemaker, name)) >= 3, name
    for name in ("ListHyperParameterTuningJobs", "ListExperiments", "ListTrials", "ListTrialComponents"):
        assert len(ask(sagemaker, name)) >= 3, name
    for name in ("ListArtifacts", "ListActions", "ListContexts", "ListAssociations"):
        assert len(ask(sagemaker, name)) >= 3, name
