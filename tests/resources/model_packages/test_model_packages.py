"""The model registry with boto3: groups, versions, approval, and a model made from an approved version."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.unique import unique

IMAGE = "tobo-echo"


@pytest.fixture(scope="module")
def archive(server: Server) -> str:
    s3, bucket = server.client("s3"), unique("registry")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"an archive")
    return f"s3://{bucket}/model.tar.gz"


@pytest.fixture
def group(server: Server) -> str:
    name = unique("Marbles")
    server.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=name, ModelPackageGroupDescription="Whole or not"
    )
    return name


def specification(archive: str) -> dict[str, Any]:
    return {"Containers": [{"Image": IMAGE, "ModelDataUrl": archive}], "SupportedContentTypes": ["image/jpeg"]}


def register(server: Server, group: str, archive: str, **more: Any) -> str:
    answer = server.client("sagemaker").create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification(archive), **more
    )
    return str(answer["ModelPackageArn"])


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    told = error.value.response["Error"]
    return told["Code"], told["Message"]


def test_versions_of_a_group(server: Server, group: str, archive: str) -> None:
    sagemaker = server.client("sagemaker")
    arns = [register(server, group, archive, ModelPackageDescription=f"number {n}") for n in range(3)]
    assert [arn.rsplit("/", 2)[1:] for arn in arns] == [[group.lower(), str(n)] for n in (1, 2, 3)]
    told = sagemaker.describe_model_package(ModelPackageName=arns[1])
    assert (told["ModelPackageGroupName"], told["ModelPackageVersion"]) == (group, 2)
    assert told["ModelApprovalStatus"] == "PendingManualApproval" and told["ModelPackageStatus"] == "Completed"
    assert told["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root")
    sagemaker.delete_model_package(ModelPackageName=arns[2])
    assert register(server, group, archive).endswith("/4")  # a number is never given twice
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    found = [one for page in pages for one in page["ModelPackageSummaryList"]]
    assert [one["ModelPackageVersion"] for one in found] == [1, 2, 4]
    assert found[0]["ModelPackageDescription"] == "number 0"


def test_many_at_once_get_numbers_of_their_own(server: Server, group: str, archive: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(lambda _: register(server, group, archive), range(24)))
    assert sorted(int(arn.rsplit("/", 1)[1]) for arn in arns) == list(range(1, 25))


def test_only_an_approved_version_becomes_a_model(server: Server, group: str, archive: str) -> None:
    sagemaker, name = server.client("sagemaker"), unique("from-registry")
    arn = register(server, group, archive)
    asked: dict[str, Any] = {
        "ModelName": name,
        "ExecutionRoleArn": f"arn:aws:iam::{server.account}:role/any",
        "Containers": [{"ModelPackageName": arn, "Environment": {"LIMIT": "3"}}],
    }
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model(**asked)
    assert "PendingManualApproval" in refusal(refused)[1] and "UpdateModelPackage" in refusal(refused)[1]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="99 %")
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Approved", "99 %")
    assert told["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":root") and told["LastModifiedTime"]
    sagemaker.create_model(**asked)
    sagemaker.delete_model_package(ModelPackageName=arn)
    container = sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
    assert (container["Image"], container["ModelDataUrl"], container["Environment"]) == (IMAGE, archive, {"LIMIT": "3"})
    assert container["ModelPackageName"] == arn


def test_lists_by_approval_and_kind(server: Server, group: str, archive: str) -> None:
    sagemaker, alone = server.client("sagemaker"), unique("alone")
    first, second = (register(server, group, archive) for _ in range(2))
    sagemaker.update_model_package(ModelPackageArn=second, ModelApprovalStatus="Rejected")
    sagemaker.create_model_package(ModelPackageName=alone, InferenceSpecification=specification(archive))

    def listed(**asked: Any) -> set[str]:
        found = sagemaker.list_model_packages(MaxResults=100, **asked)["ModelPackageSummaryList"]
        return {one["ModelPackageArn"] for one in found}

    assert listed(ModelPackageGroupName=group) == {first, second}
    assert listed(ModelPackageGroupName=group, ModelApprovalStatus="Rejected") == {second}
    arn = sagemaker.describe_model_package(ModelPackageName=alone)["ModelPackageArn"]
    assert listed(NameContains=alone) == {arn}
    assert listed(NameContains=alone, ModelPackageType="Versioned") == set()
    assert first in listed(ModelPackageType="Both", NameContains=group)
    names = sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert [(one["ModelPackageGroupName"], one["ModelPackageGroupDescription"]) for one in names] == [
        (group, "Whole or not")
    ]


def test_what_is_told_of_a_package_changes(server: Server, group: str, archive: str) -> None:
    sagemaker = server.client("sagemaker")
    arn = register(server, group, archive, CustomerMetadataProperties={"camera": "left", "light": "blue"})
    more = {"Name": "small", "Containers": [{"Image": IMAGE, "ModelDataUrl": archive}]}
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"camera": "right"},
        CustomerMetadataPropertiesToRemove=["light"],
        AdditionalInferenceSpecificationsToAdd=[more],
    )
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert told["CustomerMetadataProperties"] == {"camera": "right"}
    assert [one["Name"] for one in told["AdditionalInferenceSpecifications"]] == ["small"]
    with pytest.raises(ClientError) as twice:
        sagemaker.update_model_package(ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[more])
    assert "already" in refusal(twice)[1]
    many = {f"k{n}": "v" for n in range(50)}
    with pytest.raises(ClientError) as too_many:
        sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties=many)
    assert "at most 50" in refusal(too_many)[1]
    batch = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, arn[:-1] + "99"])
    assert batch["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert list(batch["BatchDescribeModelPackageErrorMap"]) == [arn[:-1] + "99"]


def test_a_group_with_versions_stays(server: Server, group: str, archive: str) -> None:
    sagemaker = server.client("sagemaker")
    arn = register(server, group, archive)
    with pytest.raises(ClientError) as refused:
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert refusal(refused) == ("ConflictException", f"The group '{group}' has 1 model packages; delete them first.")
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError) as missing:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert refusal(missing)[0] == "ValidationException" and group.lower() in refusal(missing)[1]


def test_a_group_has_a_policy(server: Server, group: str) -> None:
    sagemaker, policy = server.client("sagemaker"), '{"Version": "2012-10-17", "Statement": []}'
    with pytest.raises(ClientError, match="has no policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)
    sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy)
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"] == policy
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="has no policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="is not JSON"):
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy="{")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ModelPackageName": "x"}, "Give either"),
        ({"InferenceSpecification": None}, "has no model"),
        ({"InferenceSpecification": {"Containers": [{"Image": "nobody/knows:1"}]}}, "nobody/knows:1"),
        ({"InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://no-such-bucket-x/m"}]}}, "upload it first"),
        ({"CertifyForMarketplace": True}, "is not here"),
        ({"SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": "a"}]}}, "and not both"),
        ({"ModelPackageGroupName": "nobodys"}, "There is no model package group 'nobodys'"),
    ],
)  # fmt: skip
def test_packages_that_are_refused(
    server: Server, group: str, archive: str, changes: dict[str, Any], said: str
) -> None:
    asked = {"ModelPackageGroupName": group, "InferenceSpecification": specification(archive), **changes}
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").create_model_package(**{k: v for k, v in asked.items() if v is not None})
    assert refusal(refused)[0] == "ValidationException" and said in refusal(refused)[1]
