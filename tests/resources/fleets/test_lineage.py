"""What is deployed, in lineage: from a model's archive to the endpoint, and from what was compiled to the device."""

from typing import Any

import pytest
from tests.conftest import Server
from tests.support.endpoints import make_model, variant
from tests.support.fleets import Fleet
from tests.support.handlers import archive
from tests.support.jobs import ROLE
from tests.support.own_code import put
from tests.support.processes import until
from tests.support.unique import unique


@pytest.fixture
def model(server: Server) -> str:
    name = unique("led")
    data = put(server, name.lower(), "model.tar.gz", archive(secret="x"))
    make_model(server, name, data, Image="tobo-echo")
    return name


def found(sagemaker: Any, arn: str, direction: str = "Ascendants") -> dict[str, list[str]]:
    """ARNs by type."""
    answer = sagemaker.query_lineage(StartArns=[arn], Direction=direction, MaxResults=50)
    by: dict[str, list[str]] = {}
    for vertex in answer["Vertices"]:
        by.setdefault(vertex["Type"], []).append(vertex["Arn"])
    return by


def settled(sagemaker: Any, endpoint: str) -> bool:
    status: str = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    return status == "InService"


def context_of(sagemaker: Any, uri: str) -> str | None:
    listed = sagemaker.list_contexts(SourceUri=uri)["ContextSummaries"]
    return str(listed[0]["ContextArn"]) if listed else None


def test_an_endpoints_models(server: Server, model: str) -> None:
    sagemaker, second = server.client("sagemaker"), unique("second")
    data = put(server, second.lower(), "model.tar.gz", archive(secret="y"))
    make_model(server, second, data, Image="tobo-echo")
    for name in (model, second):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    arn = sagemaker.create_endpoint(EndpointName=model, EndpointConfigName=model)["EndpointArn"]
    until(lambda: context_of(sagemaker, arn) is not None)
    context = str(context_of(sagemaker, arn))
    described = sagemaker.describe_context(ContextName=f"{model}-aws-endpoint")
    assert described["ContextArn"] == context and described["ContextType"] == "Endpoint"
    until(lambda: set(found(sagemaker, context)) == {"ModelDeployment", "Model"})
    assert {kind: len(arns) for kind, arns in found(sagemaker, context).items()} == {"ModelDeployment": 1, "Model": 1}
    # scaled it is the same deployment, updated it is another
    until(lambda: settled(sagemaker, model))
    weights = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=model, DesiredWeightsAndCapacities=weights)
    until(lambda: settled(sagemaker, model))
    assert len(found(sagemaker, context)["ModelDeployment"]) == 1
    sagemaker.update_endpoint(EndpointName=model, EndpointConfigName=second)
    until(lambda: len(found(sagemaker, context)["ModelDeployment"]) == 2)
    models = {
        sagemaker.describe_artifact(ArtifactArn=each)["Source"]["SourceUri"]
        for each in found(sagemaker, context)["Model"]
    }
    assert models == {f"s3://{name.lower()}/model.tar.gz" for name in (model, second)}
    [artifact] = sagemaker.list_artifacts(SourceUri=data)["ArtifactSummaries"]
    assert found(sagemaker, artifact["ArtifactArn"], "Descendants")["Endpoint"] == [context]
    # an endpoint of the same name later is another deployment at the same place
    sagemaker.delete_endpoint(EndpointName=model)
    until(lambda: gone(sagemaker, model))
    sagemaker.create_endpoint(EndpointName=model, EndpointConfigName=model)
    until(lambda: len(found(sagemaker, context)["ModelDeployment"]) == 3)
    sagemaker.delete_endpoint(EndpointName=model)


def gone(sagemaker: Any, endpoint: str) -> bool:
    try:
        sagemaker.describe_endpoint(EndpointName=endpoint)
    except sagemaker.exceptions.ClientError:
        return True
    return False


def test_a_package_and_its_approval_lie_between(server: Server) -> None:
    sagemaker, group = server.client("sagemaker"), unique("Group")
    data = put(server, group.lower(), "model.tar.gz", archive(secret="x"))
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    container = {"Image": "tobo-echo", "ModelDataUrl": data}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]},
    )["ModelPackageArn"]
    [action] = sagemaker.list_actions(SourceUri=package)["ActionSummaries"]
    assert (action["ActionType"], action["Status"]) == ("Approval", "InProgress")
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    described = sagemaker.describe_action(ActionName=action["ActionName"])
    assert described["Status"] == "Completed" and described["Properties"]["ModelApprovalStatus"] == "Approved"
    assert described["Properties"]["By"].endswith(":root")
    assert sorted(found(sagemaker, action["ActionArn"], "Descendants")) == ["ModelGroup"]
    sagemaker.create_model(ModelName=group, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package})
    sagemaker.create_endpoint_config(EndpointConfigName=group, ProductionVariants=[variant(group)])
    sagemaker.create_endpoint(EndpointName=group, EndpointConfigName=group)
    until(lambda: "Endpoint" in found(sagemaker, action["ActionArn"], "Descendants"), 60)
    [endpoint] = found(sagemaker, action["ActionArn"], "Descendants")["Endpoint"]
    assert set(found(sagemaker, endpoint)) == {"ModelDeployment", "Approval", "Model"}
    sagemaker.delete_endpoint(EndpointName=group)


def test_a_devices_bundle(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    job = fleet.package()
    plan = fleet.plan(job=job)
    fleet.start(plan)
    for device, status in (("cam-1", "SUCCESS"), ("cam-2", "FAIL")):
        fleet.answer(device, fleet.await_command(device), status)
    packaged = fleet.packaged(job)

    def devices() -> list[Any]:
        listed = fleet.sagemaker.get_paginator("list_contexts").paginate(ContextType="Device")
        return [
            one
            for page in listed
            for one in page["ContextSummaries"]
            if f"/{fleet.name}/" in one["Source"]["SourceUri"]
        ]

    until(lambda: devices() != [])
    [device] = devices()
    assert device["ContextName"] == f"{fleet.name}-cam-1-aws-device"
    assert device["Source"]["SourceUri"].endswith(f":device-fleet/{fleet.name}/device/cam-1")
    until(lambda: "EdgePackagingJob" in found(fleet.sagemaker, device["ContextArn"]))
    led = found(fleet.sagemaker, device["ContextArn"])
    assert {kind: len(arns) for kind, arns in led.items()} == {"ModelDeployment": 1, "Model": 2, "EdgePackagingJob": 1}
    uris = {fleet.sagemaker.describe_artifact(ArtifactArn=arn)["Source"]["SourceUri"] for arn in led["Model"]}
    assert packaged["ModelArtifact"] in uris
    # what was answered twice is recorded once
    fleet.beat("cam-1")
    assert len(found(fleet.sagemaker, device["ContextArn"])["ModelDeployment"]) == 1
