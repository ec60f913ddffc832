"""Secrets with boto3: kept, read, changed, labelled, deleted and restored; encrypted where they lie, blanked where they are told."""

import json
import sqlite3
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.unique import unique


@pytest.fixture(scope="module")
def manager(server: Server) -> Any:
    return server.client("secretsmanager")


def refusal(call: Any, **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_from_create_to_delete(server: Server, manager: Any) -> None:
    name = unique("git/marbles")
    tags = [{"Key": "project", "Value": "marbles"}]
    made = manager.create_secret(Name=name, SecretString="first", Description="of the repository", Tags=tags)
    assert made["ARN"].startswith(f"arn:aws:secretsmanager:us-east-1:{server.account}:secret:{name}-")
    assert len(made["ARN"].rsplit("-", 1)[1]) == 6
    assert refusal(manager.create_secret, Name=name, SecretString="x")[0] == "ResourceExistsException"
    for told in (name, made["ARN"], made["ARN"][:-7]):  # by name, by ARN, by ARN without its ending
        value = manager.get_secret_value(SecretId=told)
        assert (value["SecretString"], value["VersionId"]) == ("first", made["VersionId"])
        assert value["VersionStages"] == ["AWSCURRENT"] and value["ARN"] == made["ARN"]
    put = manager.put_secret_value(SecretId=name, SecretString="second")
    assert manager.get_secret_value(SecretId=name)["SecretString"] == "second"
    assert manager.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "first"
    assert manager.get_secret_value(SecretId=name, VersionId=made["VersionId"])["SecretString"] == "first"
    manager.update_secret(SecretId=name, SecretBinary=b"\x00\xff", Description="changed")
    assert manager.get_secret_value(SecretId=name)["SecretBinary"] == b"\x00\xff"
    described = manager.describe_secret(SecretId=name)
    assert described["Description"] == "changed" and described["Tags"] == tags
    assert {tuple(stages) for stages in described["VersionIdsToStages"].values()} == {("AWSCURRENT",), ("AWSPREVIOUS",)}
    assert "SecretString" not in json.dumps(described, default=str)
    versions = manager.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert [version["VersionStages"] for version in versions] == [[], ["AWSPREVIOUS"], ["AWSCURRENT"]]
    moved = {"VersionStage": "AWSCURRENT", "MoveToVersionId": put["VersionId"]}
    code, said = refusal(manager.update_secret_version_stage, SecretId=name, **moved)
    assert code == "InvalidParameterException" and "RemoveFromVersionId" in said
    manager.update_secret_version_stage(SecretId=name, **moved, RemoveFromVersionId=versions[-1]["VersionId"])
    assert manager.get_secret_value(SecretId=name)["SecretString"] == "second"
    assert manager.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretBinary"] == b"\x00\xff"
    manager.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    code, said = refusal(manager.get_secret_value, SecretId=name)
    assert code == "InvalidRequestException" and "marked for deletion" in said
    assert manager.describe_secret(SecretId=name)["DeletedDate"] is not None
    manager.restore_secret(SecretId=name)
    assert manager.get_secret_value(SecretId=name)["SecretString"] == "second"
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert refusal(manager.describe_secret, SecretId=name)[0] == "ResourceNotFoundException"
    assert refusal(manager.get_secret_value, SecretId=made["ARN"])[0] == "ResourceNotFoundException"


def test_the_same_token_says_the_same(manager: Any) -> None:
    name, token = unique("same"), "0" * 32
    manager.create_secret(Name=name)
    code, said = refusal(manager.get_secret_value, SecretId=name)
    assert code == "ResourceNotFoundException" and "AWSCURRENT" in said
    for _ in range(2):
        put = manager.put_secret_value(SecretId=name, SecretString="v", ClientRequestToken=token)
        assert put["VersionId"] == token
    assert len(manager.list_secret_version_ids(SecretId=name)["Versions"]) == 1
    code, _ = refusal(manager.put_secret_value, SecretId=name, SecretString="w", ClientRequestToken=token)
    assert code == "ResourceExistsException"


def test_versions_without_a_label_are_not_kept_for_ever(manager: Any) -> None:
    name = unique("many")
    manager.create_secret(Name=name, SecretString="0")
    for number in range(1, 31):
        manager.put_secret_value(SecretId=name, SecretString=str(number))
    versions = manager.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert len(versions) == 22 and manager.get_secret_value(SecretId=name)["SecretString"] == "30"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"SecretString": "a", "SecretBinary": b"b"}, "InvalidParameterException"),
        ({"SecretBinary": b"x" * 65_537}, "ValidationException"),
        ({"SecretString": "ä" * 40_000}, "InvalidParameterException"),  # fewer letters than 65,536, and more bytes
        ({"AddReplicaRegions": [{"Region": "eu-west-1"}]}, "InvalidParameterException"),
    ],
)
def test_secrets_that_are_refused(manager: Any, asked: dict[str, Any], code: str) -> None:
    assert refusal(manager.create_secret, Name=unique("bad"), **asked)[0] == code


def test_lists_filter_and_page(server: Server) -> None:
    manager = server.client("secretsmanager", region="eu-west-3")
    for number in range(5):
        tags = [{"Key": "line", "Value": f"line-{number % 2}"}]
        manager.create_secret(Name=f"camera/{number}", SecretString="x", Description=f"Number {number}", Tags=tags)
    pages = manager.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2})
    names = [[secret["Name"] for secret in page["SecretList"]] for page in pages]
    assert names == [["camera/4", "camera/3"], ["camera/2", "camera/1"], ["camera/0"]]

    def listed(key: str, *values: str, **more: Any) -> list[str]:
        found = manager.list_secrets(Filters=[{"Key": key, "Values": list(values)}], SortOrder="asc", **more)
        return [secret["Name"][-1] for secret in found["SecretList"]]

    assert listed("tag-value", "line-1") == ["1", "3"] and listed("tag-value", "!line-1") == ["0", "2", "4"]
    assert listed("description", "number 3") == ["3"] and listed("name", "camera/") == ["0", "1", "2", "3", "4"]
    assert listed("all", "line-0") == ["0", "2", "4"]
    manager.delete_secret(SecretId="camera/4")
    assert listed("name", "camera") == ["0", "1", "2", "3"]
    assert listed("name", "camera", IncludePlannedDeletion=True) == ["0", "1", "2", "3", "4"]
    code, said = refusal(manager.list_secrets, Filters=[{"Key": "owning-service", "Values": ["x"]}])
    assert code == "InvalidParameterException" and "owning-service" in said
    found = manager.batch_get_secret_value(SecretIdList=["camera/0", "camera/4", "camera/9"])
    assert [each["Name"] for each in found["SecretValues"]] == ["camera/0"]
    assert [each["ErrorCode"] for each in found["Errors"]] == ["InvalidRequestException", "ResourceNotFoundException"]


def test_passwords_are_drawn(manager: Any) -> None:
    drawn = {manager.get_random_password()["RandomPassword"] for _ in range(5)}
    assert len(drawn) == 5 and all(len(password) == 32 for password in drawn)
    plain = manager.get_random_password(PasswordLength=12, ExcludePunctuation=True, ExcludeCharacters="0O1lI")[
        "RandomPassword"
    ]
    assert len(plain) == 12 and plain.isalnum() and not set(plain) & set("0O1lI")
    code, _ = refusal(
        manager.get_random_password,
        ExcludePunctuation=True,
        ExcludeNumbers=True,
        ExcludeLowercase=True,
        ExcludeUppercase=True,
    )
    assert code == "InvalidParameterException"


def test_no_file_and_no_log_tells_a_value(server: Server, manager: Any) -> None:
    name, value = unique("kept"), "correct horse battery staple 8626"
    manager.create_secret(Name=name, SecretString=value)
    manager.put_secret_value(SecretId=name, SecretString=value + "!")
    assert manager.get_secret_value(SecretId=name)["SecretString"] == value + "!"
    with sqlite3.connect(server.state / "tobo.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in server.state.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert value.encode() not in path.read_bytes(), path
    assert value not in server.log()
    assert (server.state / "secrets" / server.account / "key").stat().st_mode & 0o777 == 0o600
    # who reads one is in the audit log, with its name and without its value
    events = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
    )["Events"]
    told = [json.loads(event["CloudTrailEvent"]) for event in events]
    assert any(event["requestParameters"].get("secretId") == name for event in told), told[:1]


def test_a_policy_names_the_secret(server: Server, manager: Any) -> None:
    mine, other = unique("mine"), unique("other")
    arn = manager.create_secret(Name=mine, SecretString="m")["ARN"]
    manager.create_secret(Name=other, SecretString="o")
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": f"{arn[:-6]}??????"}
    key, secret = limited_user(server, unique("reader"), statement)
    reads = server.client("secretsmanager", aws_access_key_id=key, aws_secret_access_key=secret)
    assert reads.get_secret_value(SecretId=mine)["SecretString"] == "m"
    for asked in (
        lambda: reads.get_secret_value(SecretId=other),
        lambda: reads.put_secret_value(SecretId=mine, SecretString="x"),
    ):
        with pytest.raises(ClientError, match="is not authorized"):
            asked()
