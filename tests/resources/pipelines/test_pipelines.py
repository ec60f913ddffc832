"""The operations on pipelines and their executions: what they answer, refuse and list."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.jobs import ROLE
from tests.support.pipelines import await_end, create, definition, get, start, step
from tests.support.unique import own_region, unique

TEXT = definition(step("F", "Fail", {"ErrorMessage": get("Parameters.Why")}), parameters={"Why": ("String", "so")})
NOTHING = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/no/execution/none"
TOKEN = "t" * 32


@pytest.fixture
def sagemaker(server: Server) -> Any:
    return server.client("sagemaker")


def test_a_life(server: Server, sagemaker: Any) -> None:
    name = unique("Life")
    asked = {"PipelineName": name, "PipelineDefinition": TEXT, "RoleArn": ROLE, "ClientRequestToken": TOKEN}
    arn = sagemaker.create_pipeline(**asked, PipelineDescription="d", Tags=[{"Key": "a", "Value": "b"}])["PipelineArn"]
    assert arn.endswith(f":pipeline/{name.lower()}")
    assert sagemaker.create_pipeline(**asked)["PipelineArn"] == arn  # the same token
    with pytest.raises(ClientError, match="Pipeline names must be unique within an AWS account and region"):
        sagemaker.create_pipeline(**{**asked, "ClientRequestToken": "u" * 32})
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    told = sagemaker.describe_pipeline(PipelineName=arn)
    assert (told["PipelineName"], told["PipelineDefinition"], told["PipelineStatus"]) == (name, TEXT, "Active")
    assert (told["PipelineDisplayName"], told["PipelineDescription"], told["RoleArn"]) == (name, "d", ROLE)
    assert told["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root") and "LastRunTime" not in told
    execution = start(sagemaker, name, Why="because")
    assert "'F' failed: because" in await_end(sagemaker, execution)["FailureReason"]
    assert "LastRunTime" in sagemaker.describe_pipeline(PipelineName=name)
    sagemaker.delete_pipeline(PipelineName=name)
    for gone in (lambda: sagemaker.describe_pipeline(PipelineName=name), lambda: start(sagemaker, name)):
        with pytest.raises(ClientError, match="does not exist"):
            gone()


def test_versions(sagemaker: Any) -> None:
    name = create(sagemaker, TEXT)
    other = definition(step("Other", "Fail", {"ErrorMessage": "2"}))
    answer = sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=other, PipelineVersionAliases=["live"])
    assert answer["PipelineVersionId"] == 2
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDescription="same")["PipelineVersionId"] == 2
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == other
    assert sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)["PipelineDefinition"] == TEXT
    arn = sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    sagemaker.update_pipeline_version(
        PipelineArn=arn, PipelineVersionId=1, PipelineVersionDisplayName="first", PipelineVersionAliasOperations={"Add": ["live"]}
    )  # fmt: skip
    second, first = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    assert (first["PipelineVersionDisplayName"], first["PipelineVersionAliases"]) == ("first", ["live"])
    assert second["PipelineVersionAliases"] == []
    old = sagemaker.start_pipeline_execution(PipelineName=name, PipelineVersionAlias="live")["PipelineExecutionArn"]
    assert sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=old)["PipelineDefinition"] == TEXT
    assert sagemaker.describe_pipeline_execution(PipelineExecutionArn=old)["PipelineVersionId"] == 1
    start(sagemaker, name)
    summaries = sagemaker.list_pipeline_versions(PipelineName=name, SortOrder="Ascending")["PipelineVersionSummaries"]
    assert summaries[0]["LastExecutionPipelineExecutionArn"] == old
    aliased = sagemaker.list_pipeline_executions(PipelineName=name, PipelineVersionAlias="live")
    assert [one["PipelineExecutionArn"] for one in aliased["PipelineExecutionSummaries"]] == [old]
    with pytest.raises(ClientError, match="has no version 9"):
        sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=9)
    with pytest.raises(ClientError, match="no version with the alias 'dead'"):
        sagemaker.start_pipeline_execution(PipelineName=name, PipelineVersionAlias="dead")


def test_a_definition_in_s3(server: Server, sagemaker: Any) -> None:
    bucket = unique("definitions")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key="p.json", Body=TEXT.encode())
    place = {"Bucket": bucket, "ObjectKey": "p.json"}
    name = unique("stored")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinitionS3Location=place, RoleArn=ROLE)
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == TEXT
    for wrong, why in (
        ({"PipelineDefinitionS3Location": {**place, "ObjectKey": "q"}}, "reading s3://"),
        ({"PipelineDefinitionS3Location": place, "PipelineDefinition": TEXT}, "not both"),
        ({}, "has no PipelineDefinition"),
        ({"PipelineDefinition": "{"}, "is not JSON"),
    ):
        with pytest.raises(ClientError, match=why):
            sagemaker.create_pipeline(PipelineName=unique("wrong"), RoleArn=ROLE, **wrong)


def test_nobody_reads_by_a_pipeline_what_he_may_not(server: Server) -> None:
    bucket = unique("definitions")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key="p.json", Body=TEXT.encode())
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    key, secret = limited_user(server, unique("reader"), statement)
    theirs = server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret)
    with pytest.raises(ClientError, match="not authorized to perform: s3:"):
        place = {"Bucket": bucket, "ObjectKey": "p.json"}
        theirs.create_pipeline(PipelineName=unique("p"), PipelineDefinitionS3Location=place, RoleArn=ROLE)


def test_who_writes_a_definition_may_do_its_steps_and_who_starts_it_need_not(server: Server, sagemaker: Any) -> None:
    package = step("M", "Model", {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": "none"}})
    statement = {"Effect": "Allow", "Action": "sagemaker:*Pipeline*", "Resource": "*"}
    key, secret = limited_user(server, unique("starter"), statement)
    theirs = server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret)
    with pytest.raises(ClientError, match=r"sagemaker:CreateModel on resource: .*, which the step 'M' does"):
        create(theirs, definition(package))
    name = create(theirs, TEXT)
    with pytest.raises(ClientError, match="sagemaker:CreateModel"):
        theirs.update_pipeline(PipelineName=name, PipelineDefinition=definition(package))
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition(package))
    assert "'M' failed" in await_end(theirs, start(theirs, name))["FailureReason"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"PipelineParameters": [{"Name": "Nope", "Value": "1"}]}, "no parameter 'Nope'; its parameters are: N, B, C"),
        ({}, "The parameter 'N' has no default"),
        ({"PipelineParameters": [{"Name": "N", "Value": "x"}]}, "'N' is 'x', which is no Integer"),
        ({"PipelineParameters": [{"Name": "N", "Value": "1"}, {"Name": "B", "Value": "maybe"}]}, "no Boolean"),
        ({"PipelineParameters": [{"Name": "N", "Value": "1"}, {"Name": "C", "Value": "z"}]}, "has to be one of"),
        ({"SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "F"}]}}, "SelectiveExecutionConfig is not built"),
    ],
)
def test_parameters_that_are_refused(sagemaker: Any, given: dict[str, Any], why: str) -> None:
    document = json.loads(definition(step("F", "Fail", {"ErrorMessage": get("Parameters.N")})))
    document["Parameters"] = [
        {"Name": "N", "Type": "Integer"},
        {"Name": "B", "Type": "Boolean", "DefaultValue": True},
        {"Name": "C", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
    name = create(sagemaker, json.dumps(document))
    with pytest.raises(ClientError, match=why):
        sagemaker.start_pipeline_execution(PipelineName=name, **given)


def test_an_execution_is_started_once_for_a_token_and_described(sagemaker: Any) -> None:
    name = create(sagemaker, TEXT)
    asked = {"PipelineName": name, "ClientRequestToken": TOKEN, "PipelineExecutionDisplayName": "one"}
    arn = sagemaker.start_pipeline_execution(**asked)["PipelineExecutionArn"]
    assert sagemaker.start_pipeline_execution(**asked)["PipelineExecutionArn"] == arn
    assert len(sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]) == 1
    await_end(sagemaker, arn)
    sagemaker.update_pipeline_execution(PipelineExecutionArn=arn, PipelineExecutionDescription="late")
    told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (told["PipelineExecutionDisplayName"], told["PipelineExecutionDescription"]) == ("one", "late")
    assert told["PipelineArn"] == sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert parameters == [{"Name": "Why", "Value": "so"}]


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("describe_pipeline_execution", {}),
        ("update_pipeline_execution", {}),
        ("stop_pipeline_execution", {}),
        ("retry_pipeline_execution", {}),
        ("list_pipeline_execution_steps", {}),
        ("list_pipeline_parameters_for_execution", {}),
        ("describe_pipeline_definition_for_execution", {}),
    ],
)
def test_no_such_execution(sagemaker: Any, operation: str, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(sagemaker, operation)(PipelineExecutionArn=NOTHING, **more)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_no_such_pipeline(sagemaker: Any) -> None:
    for call in (
        lambda: sagemaker.describe_pipeline(PipelineName="no-such"),
        lambda: sagemaker.update_pipeline(PipelineName="no-such"),
        lambda: sagemaker.delete_pipeline(PipelineName="no-such", ClientRequestToken=TOKEN),
        lambda: sagemaker.list_pipeline_executions(PipelineName="no-such"),
        lambda: sagemaker.list_pipeline_versions(PipelineName="no-such"),
        lambda: sagemaker.start_pipeline_execution(PipelineName=NOTHING.split("/execution")[0]),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_lists(server: Server) -> None:
    sagemaker = server.client("sagemaker", region=own_region())
    names = [create(sagemaker, TEXT, f"list-{letter}") for letter in "bac"]
    other = create(sagemaker, TEXT, "other")
    found = sagemaker.list_pipelines()["PipelineSummaries"]
    assert [one["PipelineName"] for one in found] == [other, *reversed(names)]
    found = sagemaker.list_pipelines(PipelineNamePrefix="list", SortBy="Name", SortOrder="Ascending")
    assert [one["PipelineName"] for one in found["PipelineSummaries"]] == sorted(names)
    assert sagemaker.list_pipelines(ManagedBy="AWS")["PipelineSummaries"] == []
    arns = [start(sagemaker, other) for _ in range(3)]
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=other, SortBy="PipelineExecutionArn", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    assert [one["PipelineExecutionArn"] for page in pages for one in page["PipelineExecutionSummaries"]] == sorted(arns)
