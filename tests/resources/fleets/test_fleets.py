"""Fleets and devices: made, changed, listed, refused, and told of in a report."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.fleets import ROLE, Fleet, client, metric


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_fleet_is_made_changed_and_deleted(fleet: Fleet) -> None:
    sagemaker = fleet.sagemaker
    made = sagemaker.describe_device_fleet(DeviceFleetName=fleet.name)
    assert made["DeviceFleetArn"].endswith(f":device-fleet/{fleet.name}") and "IotRoleAlias" not in made
    output = {"S3OutputLocation": f"s3://{fleet.bucket}/elsewhere"}
    sagemaker.update_device_fleet(
        DeviceFleetName=fleet.name, Description="second", OutputConfig=output, EnableIotRoleAlias=True
    )
    changed = sagemaker.describe_device_fleet(DeviceFleetName=fleet.name)
    assert (changed["Description"], changed["OutputConfig"], changed["RoleArn"]) == ("second", output, ROLE)
    assert changed["IotRoleAlias"].endswith(f":rolealias/SageMakerEdge-{fleet.name}")
    assert changed["LastModifiedTime"] > made["LastModifiedTime"]
    alias = fleet.iot.describe_role_alias(roleAlias=f"SageMakerEdge-{fleet.name}")
    assert alias["roleAliasDescription"]["roleArn"] == ROLE
    sagemaker.delete_device_fleet(DeviceFleetName=fleet.name)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_device_fleet(DeviceFleetName=fleet.name)


@pytest.mark.parametrize(
    ("members", "expected", "said"),
    [
        ({"OutputConfig": {"S3OutputLocation": "https:///"}}, "ValidationException", ""),
        ({"OutputConfig": {"S3OutputLocation": "s3://bucket/*/home"}}, "ValidationException", "open other folders"),
        ({"EnableIotRoleAlias": True}, "ValidationException", "needs a RoleArn"),
        (
            {"OutputConfig": {"S3OutputLocation": "s3://b/k", "PresetDeploymentType": "GreengrassV2Component"}},
            "ValidationException",
            "not built",
        ),
    ],
)
def test_fleets_that_are_refused(fleet: Fleet, members: dict[str, Any], expected: str, said: str) -> None:
    asked = {"DeviceFleetName": "refused", "OutputConfig": {"S3OutputLocation": "s3://bucket/home"}, **members}
    with pytest.raises(ClientError) as refused:
        fleet.sagemaker.create_device_fleet(**asked)
    assert code(refused) == expected and said in str(refused.value)


def test_a_name_is_taken(fleet: Fleet) -> None:
    with pytest.raises(fleet.sagemaker.exceptions.ResourceInUse):
        fleet.sagemaker.create_device_fleet(
            DeviceFleetName=fleet.name, OutputConfig={"S3OutputLocation": "s3://bucket/home"}
        )


def test_a_fleet_with_devices_is_not_deleted(fleet: Fleet) -> None:
    fleet.register("cam-1")
    with pytest.raises(fleet.sagemaker.exceptions.ResourceInUse):
        fleet.sagemaker.delete_device_fleet(DeviceFleetName=fleet.name)
    fleet.sagemaker.deregister_devices(DeviceFleetName=fleet.name, DeviceNames=["cam-1", "never-was"])
    fleet.sagemaker.delete_device_fleet(DeviceFleetName=fleet.name)


def test_fleets_are_listed(fleet_server: Server) -> None:
    region = "eu-west-3"
    sagemaker = client(fleet_server, "sagemaker", region)
    names = [f"{letter}-{uuid.uuid4().hex[:6]}" for letter in ("b", "c", "a")]
    for name in names:
        sagemaker.create_device_fleet(DeviceFleetName=name, OutputConfig={"S3OutputLocation": "s3://bucket/home"})

    def listed(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_device_fleets").paginate(PaginationConfig={"PageSize": 2}, **asked)
        found = [one["DeviceFleetName"] for page in pages for one in page["DeviceFleetSummaries"]]
        return [name for name in found if name in names]  # a rerun meets those of the first run

    assert listed() == names[::-1]
    assert listed(SortBy="NAME", SortOrder="Ascending") == sorted(names)
    assert listed(SortBy="LAST_MODIFIED_TIME", SortOrder="Ascending") == names
    assert listed(NameContains=names[0]) == names[:1]
    first = sagemaker.describe_device_fleet(DeviceFleetName=names[0])["CreationTime"]
    before, after = first - timedelta(hours=1), first + timedelta(hours=1)  # boto3 sends whole seconds
    assert listed(CreationTimeBefore=before) == [] == listed(CreationTimeAfter=after)
    assert listed(CreationTimeBefore=after) == names[::-1] == listed(CreationTimeAfter=before)


def test_devices_are_registered_changed_and_described(fleet: Fleet) -> None:
    sagemaker, place = fleet.sagemaker, {"DeviceFleetName": fleet.name, "DeviceName": "cam-1"}
    given = [{"DeviceName": "cam-1", "Description": "over belt 1", "IotThingName": "thing-1"}]
    for _ in range(2):  # a call that is repeated changes nothing
        sagemaker.register_devices(DeviceFleetName=fleet.name, Devices=given, Tags=[{"Key": "belt", "Value": "1"}])
    device = sagemaker.describe_device(**place)
    assert (device["Description"], device["IotThingName"], device["Models"]) == ("over belt 1", "thing-1", [])
    assert sagemaker.list_tags(ResourceArn=device["DeviceArn"])["Tags"] == [{"Key": "belt", "Value": "1"}]
    sagemaker.update_devices(DeviceFleetName=fleet.name, Devices=[{"DeviceName": "cam-1", "Description": "belt 2"}])
    changed = sagemaker.describe_device(**place)
    assert (changed["Description"], changed["IotThingName"]) == ("belt 2", "thing-1")
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.register_devices(DeviceFleetName=fleet.name, Devices=given)


@pytest.mark.parametrize(
    ("operation", "members", "expected"),
    [
        ("register_devices", {"DeviceFleetName": "nothing", "Devices": [{"DeviceName": "a"}]}, "ResourceNotFound"),
        ("register_devices", {"Devices": [{"DeviceName": "a"}, {"DeviceName": "a"}]}, "ValidationException"),
        ("update_devices", {"Devices": [{"DeviceName": "nothing"}]}, "ResourceNotFound"),
        ("describe_device", {"DeviceName": "nothing"}, "ResourceNotFound"),
        ("get_device_fleet_report", {"DeviceFleetName": "nothing"}, "ResourceNotFound"),
    ],
)
def test_devices_that_are_refused(fleet: Fleet, operation: str, members: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(fleet.sagemaker, operation)(**{"DeviceFleetName": fleet.name, **members})
    assert code(refused) == expected


def test_devices_are_listed(fleet: Fleet) -> None:
    names = [f"cam-{number}" for number in range(5)]
    fleet.register(*names)
    other = Fleet(fleet.server)
    other.register("cam-9")
    fleet.beat("cam-1", Models=[{"ModelName": "marbles", "ModelVersion": "1.0"}])
    since = datetime.fromtimestamp(time.time(), UTC)
    fleet.beat("cam-3", Models=[{"ModelName": "screws", "ModelVersion": "1.0"}])

    def listed(**asked: Any) -> list[str]:
        pages = fleet.sagemaker.get_paginator("list_devices").paginate(
            DeviceFleetName=fleet.name, PaginationConfig={"PageSize": 2}, **asked
        )
        return sorted(one["DeviceName"] for page in pages for one in page["DeviceSummaries"])

    assert listed() == names
    assert listed(ModelName="marbles") == ["cam-1"]
    assert listed(LatestHeartbeatAfter=since) == ["cam-3"]
    assert {one["DeviceFleetName"] for one in fleet.sagemaker.list_devices(MaxResults=100)["DeviceSummaries"]} >= {
        fleet.name,
        other.name,
    }


def test_the_report_counts_devices_agents_and_models(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2", "cam-3")
    now = datetime.now(UTC)
    model = {"ModelName": "marbles", "ModelVersion": "1.0"}
    fleet.beat("cam-1", Models=[{**model, "LatestInference": now, "LatestSampleTime": now}])
    fleet.beat("cam-2", Models=[model])
    report = fleet.sagemaker.get_device_fleet_report(DeviceFleetName=fleet.name)
    assert report["DeviceStats"] == {"ConnectedDeviceCount": 2, "RegisteredDeviceCount": 3}
    assert report["AgentVersions"] == [{"Version": "1.0", "AgentCount": 2}]
    counts = {"Offline": 0, "Connected": 2, "Active": 1, "Sampling": 1}
    assert report["ModelStats"] == [{**model, **{f"{name}DeviceCount": count for name, count in counts.items()}}]
    assert "Description" not in report
    fleet.beat("cam-2", AgentMetrics=[metric("ScoreDrift", 0.3)])
    report = fleet.sagemaker.get_device_fleet_report(DeviceFleetName=fleet.name)
    assert report["Description"] == "Score drift: cam-2."
