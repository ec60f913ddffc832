"""Deployment plans: from a packaged model to devices that have it; stages, selections, lists and refusals."""

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.fleets import Fleet, client, stage

from tobo.resources.edge_deployment_plans.plan import selected


def test_a_stage_deploys_what_was_packaged(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    plan = fleet.plan()
    assert fleet.status(plan)["StageStatus"] == "READYTODEPLOY"
    assert fleet.told("cam-1") is None
    fleet.start(plan)
    command = fleet.await_command("cam-1")
    assert command["Type"] == "Model" and command["Definitions"][0]["ModelHandle"] == "marbles"
    assert fleet.told("cam-1") == command
    for name in ("cam-1", "cam-2"):
        fleet.answer(name, fleet.await_command(name))
    status = fleet.await_status(plan, "DEPLOYED")
    assert (status["EdgeDeploymentSuccessInStage"], status["EdgeDeploymentPendingInStage"]) == (2, 0)
    assert fleet.told("cam-1") is None
    assert {one["DeviceDeploymentStatus"] for one in fleet.devices(plan).values()} == {"DEPLOYED"}


def test_a_bundle_lies_in_the_fleets_folder_by_its_content(fleet: Fleet) -> None:
    fleet.register("cam-1")
    job = fleet.package()
    plan = fleet.plan(job=job)
    fleet.start(plan)
    definition = fleet.await_command("cam-1")["Definitions"][0]
    place = definition["S3Url"].removeprefix(f"s3://{fleet.bucket}/")
    assert place.startswith(f"home/{fleet.name}/_bundles/")
    packaged = fleet.packaged(job)["ModelArtifact"].removeprefix(f"s3://{fleet.bucket}/")
    bodies = [fleet.s3.get_object(Bucket=fleet.bucket, Key=key)["Body"].read() for key in (place, packaged)]
    assert bodies[0] == bodies[1]
    assert definition["Checksum"] == {"Type": "SHA1", "Sum": hashlib.sha1(bodies[0]).hexdigest()}


def test_a_roll_out_goes_from_one_device_to_all(fleet: Fleet) -> None:
    names = [f"cam-{number}" for number in range(4)]
    fleet.register(*names)
    plan = fleet.plan(stage("first", 10), stage("all", 100))
    fleet.start(plan, "first")
    fleet.answer("cam-0", fleet.await_command("cam-0"))
    fleet.await_status(plan, "DEPLOYED", 0)
    assert fleet.told("cam-1") is None
    assert fleet.devices(plan, "all").keys() == set(names)
    fleet.start(plan, "all")
    for name in names[1:]:
        fleet.answer(name, fleet.await_command(name))
    fleet.await_status(plan, "DEPLOYED", 1)
    assert fleet.told("cam-0") is None
    told = fleet.devices(plan, "all")
    assert (told["cam-0"]["DeployedStageName"], told["cam-1"]["DeployedStageName"]) == ("first", "all")
    described = fleet.described(plan)
    assert (described["EdgeDeploymentSuccess"], described["EdgeDeploymentFailed"]) == (4, 0)
    assert [one["DeploymentStatus"]["EdgeDeploymentSuccessInStage"] for one in described["Stages"]] == [1, 4]
    only = fleet.sagemaker.list_stage_devices(
        EdgeDeploymentPlanName=plan, StageName="all", ExcludeDevicesDeployedInOtherStage=True, MaxResults=100
    )
    assert [one["DeviceName"] for one in only["DeviceDeploymentSummaries"]] == names[1:]


NAMES = [f"cam-{number:02}" for number in range(7)]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"DeviceSubsetType": "PERCENTAGE", "Percentage": 1}, NAMES[:1]),
        ({"DeviceSubsetType": "PERCENTAGE", "Percentage": 14}, NAMES[:1]),
        ({"DeviceSubsetType": "PERCENTAGE", "Percentage": 15}, NAMES[:2]),
        ({"DeviceSubsetType": "PERCENTAGE", "Percentage": 50}, NAMES[:4]),
        ({"DeviceSubsetType": "PERCENTAGE", "Percentage": 99}, NAMES),
        ({"DeviceSubsetType": "PERCENTAGE", "Percentage": 100}, NAMES),
        ({"DeviceSubsetType": "SELECTION", "DeviceNames": ["cam-05", "cam-01", "gone"]}, ["cam-01", "cam-05"]),
        ({"DeviceSubsetType": "NAMECONTAINS", "DeviceNameContains": "cam-0"}, NAMES),
        ({"DeviceSubsetType": "NAMECONTAINS", "DeviceNameContains": "6"}, NAMES[6:]),
        ({"DeviceSubsetType": "NAMECONTAINS", "DeviceNameContains": "x"}, []),
    ],
)
def test_which_devices_a_stage_selects(selection: dict[str, Any], expected: list[str]) -> None:
    assert selected({"DeviceSelectionConfig": selection}, NAMES) == expected


@pytest.mark.parametrize("percentage", range(1, 101))
def test_a_percentage_is_never_nobody_and_never_too_many(percentage: int) -> None:
    for count in (1, 2, 3, 10, 99, 1000):
        chosen = len(selected(stage("any", percentage), [str(number) for number in range(count)]))
        assert max(1, count * percentage / 100) <= chosen < count * percentage / 100 + 1


def test_stages_are_added_paged_and_deleted(fleet: Fleet) -> None:
    fleet.register("cam-1")
    plan = fleet.plan(stage("a", 10))
    place = {"EdgeDeploymentPlanName": plan}
    fleet.sagemaker.create_edge_deployment_stage(**place, Stages=[stage("b", 50), stage("c")])
    first = fleet.sagemaker.describe_edge_deployment_plan(**place, MaxResults=2)
    rest = fleet.sagemaker.describe_edge_deployment_plan(**place, MaxResults=2, NextToken=first["NextToken"])
    assert [one["StageName"] for one in first["Stages"] + rest["Stages"]] == ["a", "b", "c"]
    assert "NextToken" not in rest
    assert rest["Stages"][0]["DeploymentConfig"] == {"FailureHandlingPolicy": "DO_NOTHING"}
    fleet.sagemaker.delete_edge_deployment_stage(**place, StageName="b")
    assert [one["StageName"] for one in fleet.described(plan)["Stages"]] == ["a", "c"]
    fleet.sagemaker.delete_edge_deployment_plan(**place)
    with pytest.raises(fleet.sagemaker.exceptions.ResourceNotFound):
        fleet.described(plan)


def test_what_is_under_way_is_not_deleted(fleet: Fleet) -> None:
    fleet.register("cam-1")
    plan = fleet.plan(stage("all"), stage("more"))
    fleet.start(plan)
    fleet.await_command("cam-1")
    for operation, members in (
        ("delete_edge_deployment_plan", {}),
        ("delete_edge_deployment_stage", {"StageName": "all"}),
        ("start_edge_deployment_stage", {"StageName": "all"}),
        ("start_edge_deployment_stage", {"StageName": "more"}),
    ):
        with pytest.raises(fleet.sagemaker.exceptions.ResourceInUse):
            getattr(fleet.sagemaker, operation)(EdgeDeploymentPlanName=plan, **members)
    fleet.answer("cam-1", fleet.await_command("cam-1"))
    fleet.await_status(plan, "DEPLOYED")
    fleet.sagemaker.delete_edge_deployment_plan(EdgeDeploymentPlanName=plan)
    assert fleet.told("cam-1") is None


def test_a_deleted_plan_leaves_nothing_behind(fleet: Fleet) -> None:
    fleet.register("cam-1")
    plan = fleet.plan()
    for status in ("FAIL", "SUCCESS"):
        fleet.start(plan)
        fleet.answer("cam-1", fleet.await_command("cam-1"), status)
        fleet.await_status(plan, "DEPLOYED" if status == "SUCCESS" else "FAILED")
    assert fleet.rows("device-deployment", plan) == 2
    fleet.sagemaker.delete_edge_deployment_plan(EdgeDeploymentPlanName=plan)
    assert fleet.rows("device-deployment", plan) == fleet.rows("edge-deployment-stage", plan) == 0


@pytest.mark.parametrize(
    ("members", "expected", "said"),
    [
        ({"DeviceFleetName": "nothing"}, "ResourceNotFound", "nothing"),
        ({"ModelConfigs": []}, "ValidationException", "one model at least"),
        (
            {"ModelConfigs": [{"ModelHandle": "m", "EdgePackagingJobName": "nothing"}]},
            "ResourceNotFound",
            "no edge packaging job 'nothing'",
        ),
        ({"Stages": [stage("a"), stage("a")]}, "ValidationException", "stands twice"),
        ({"Stages": [stage("a", 0)]}, "ValidationException", "needs Percentage"),
        ({"Stages": [stage("a", -5)]}, "ValidationException", "needs Percentage"),
        ({"Stages": [stage("a", 101)]}, "ValidationException", "100"),
        ({"Stages": [stage("a", DeviceSubsetType="SELECTION")]}, "ValidationException", "needs DeviceNames"),
        (
            {"Stages": [stage("a", DeviceSubsetType="SELECTION", DeviceNames=["a"], Percentage=5)]},
            "ValidationException",
            "has Percentage, which is not for",
        ),
        ({"Stages": [stage(f"s{number}") for number in range(101)]}, "ResourceLimitExceeded", "100 stages"),
    ],
)
def test_plans_that_are_refused(fleet: Fleet, members: dict[str, Any], expected: str, said: str) -> None:
    asked = {
        "EdgeDeploymentPlanName": "refused",
        "DeviceFleetName": fleet.name,
        "ModelConfigs": [{"ModelHandle": "marbles", "EdgePackagingJobName": fleet.package()}],
        **members,
    }
    with pytest.raises(ClientError) as refused:
        fleet.sagemaker.create_edge_deployment_plan(**asked)
    assert refused.value.response["Error"]["Code"] == expected and said in str(refused.value)


def test_a_model_whose_packaging_failed(fleet: Fleet) -> None:
    compilation = fleet.compile_by_hand({"nothing": b""})
    job = fleet.start_packaging(compilation=compilation)
    assert fleet.packaged(job)["EdgePackagingJobStatus"] == "FAILED"
    with pytest.raises(ClientError, match="is FAILED; only what is COMPLETED can be deployed"):
        fleet.plan(job=job)


def test_stages_that_are_not_there_or_not_under_way(fleet: Fleet) -> None:
    plan = fleet.plan()
    for operation, name, expected in (
        ("start_edge_deployment_stage", "nothing", "ResourceNotFound"),
        ("stop_edge_deployment_stage", "all", "ValidationException"),
        ("list_stage_devices", "nothing", "ResourceNotFound"),
        ("delete_edge_deployment_stage", "nothing", "ResourceNotFound"),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(fleet.sagemaker, operation)(EdgeDeploymentPlanName=plan, StageName=name)
        assert refused.value.response["Error"]["Code"] == expected


def test_plans_are_listed(fleet_server: Server) -> None:
    fleets = [Fleet(fleet_server, "eu-north-1", name) for name in ("c-line", "a-line", "b-line")]
    plans = {fleet.name: fleet.plan() for fleet in fleets}
    sagemaker = client(fleet_server, "sagemaker", "eu-north-1")

    def listed(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_edge_deployment_plans").paginate(
            PaginationConfig={"PageSize": 2}, **asked
        )
        return [one["DeviceFleetName"] for page in pages for one in page["EdgeDeploymentPlanSummaries"]]

    assert listed() == ["b-line", "a-line", "c-line"]
    assert listed(SortBy="DEVICE_FLEET_NAME", SortOrder="Ascending") == ["a-line", "b-line", "c-line"]
    assert listed(DeviceFleetNameContains="B-l") == ["b-line"]
    assert listed(NameContains=plans["c-line"]) == ["c-line"]


def test_tags_of_fleets_bundles_and_plans(fleet: Fleet) -> None:
    sagemaker, tags = fleet.sagemaker, [{"Key": "line", "Value": "1"}]
    name = f"{fleet.name}-tagged"
    sagemaker.create_device_fleet(
        DeviceFleetName=name, OutputConfig={"S3OutputLocation": "s3://bucket/home"}, Tags=tags
    )
    job = fleet.package()
    plan = fleet.plan(job=job)
    arns = {
        sagemaker.describe_device_fleet(DeviceFleetName=name)["DeviceFleetArn"]: tags,
        sagemaker.describe_edge_packaging_job(EdgePackagingJobName=job)["EdgePackagingJobArn"]: [],
        fleet.described(plan)["EdgeDeploymentPlanArn"]: [],
    }
    for arn, given in arns.items():
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == given
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
        assert {"Key": "team", "Value": "a"} in sagemaker.list_tags(ResourceArn=arn)["Tags"]
