"""Lifecycle configurations and code repositories, with boto3."""

from typing import Any

from tests.conftest import Server
from tests.support.notebooks import encoded, refused
from tests.support.unique import own_region

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:git"


def test_lifecycle_configurations(server: Server) -> None:
    sagemaker = server.client("sagemaker", region=own_region())
    name = {"NotebookInstanceLifecycleConfigName": "setup"}
    made = sagemaker.create_notebook_instance_lifecycle_config(**name, OnCreate=encoded("true"))
    found = sagemaker.describe_notebook_instance_lifecycle_config(**name)
    assert found["NotebookInstanceLifecycleConfigArn"] == made["NotebookInstanceLifecycleConfigArn"]
    assert found["OnCreate"] == encoded("true") and "OnStart" not in found
    sagemaker.update_notebook_instance_lifecycle_config(**name, OnStart=encoded("false"))
    changed = sagemaker.describe_notebook_instance_lifecycle_config(**name)
    assert (changed["OnCreate"], changed["OnStart"]) == (encoded("true"), encoded("false"))
    assert changed["LastModifiedTime"] > changed["CreationTime"]
    refused(lambda: sagemaker.create_notebook_instance_lifecycle_config(**name), "already exists")
    for other in ("b", "a"):
        sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=other)

    def names(**asked: Any) -> list[str]:
        listed = sagemaker.list_notebook_instance_lifecycle_configs(**asked)["NotebookInstanceLifecycleConfigs"]
        return [one["NotebookInstanceLifecycleConfigName"] for one in listed]

    assert names() == ["a", "b", "setup"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a", "b", "setup"]
    assert names(SortBy="LastModifiedTime", SortOrder="Ascending") == ["setup", "b", "a"]
    assert names(NameContains="set") == ["setup"]
    sagemaker.delete_notebook_instance_lifecycle_config(**name)
    for deed in ("describe", "update", "delete"):
        refused(
            lambda deed=deed: getattr(sagemaker, f"{deed}_notebook_instance_lifecycle_config")(**name),
            f"Unable to {deed} Notebook Instance Lifecycle Config .* does not exist",
        )
    refused(
        lambda: sagemaker.create_notebook_instance_lifecycle_config(**name, OnStart=[{"Content": "echo made"}]),
        "OnStart.0..Content is not base64",
    )


def test_code_repositories(server: Server) -> None:
    sagemaker = server.client("sagemaker", region=own_region())
    config = {"RepositoryUrl": "https://git.example.com/marbles.git", "Branch": "main"}
    made = sagemaker.create_code_repository(CodeRepositoryName="marbles", GitConfig=config)
    found = sagemaker.describe_code_repository(CodeRepositoryName="marbles")
    assert (found["CodeRepositoryArn"], found["GitConfig"]) == (made["CodeRepositoryArn"], config)
    sagemaker.update_code_repository(CodeRepositoryName="marbles", GitConfig={"SecretArn": SECRET})
    changed = sagemaker.describe_code_repository(CodeRepositoryName="marbles")
    assert changed["GitConfig"] == {**config, "SecretArn": SECRET}
    refused(
        lambda: sagemaker.create_code_repository(CodeRepositoryName="marbles", GitConfig=config),
        "Cannot create already existing Code Repository",
    )
    sagemaker.create_code_repository(CodeRepositoryName="a", GitConfig=config)

    def names(**asked: Any) -> list[str]:
        listed = sagemaker.list_code_repositories(**asked)["CodeRepositorySummaryList"]
        return [one["CodeRepositoryName"] for one in listed]

    assert names() == ["a", "marbles"]
    assert names(SortBy="CreationTime", SortOrder="Descending") == ["a", "marbles"]
    assert names(NameContains="mar") == ["marbles"]
    sagemaker.delete_code_repository(CodeRepositoryName="marbles")
    for deed in ("describe", "update", "delete"):
        refused(
            lambda deed=deed: getattr(sagemaker, f"{deed}_code_repository")(CodeRepositoryName="marbles"),
            "Cannot find Code Repository",
        )
