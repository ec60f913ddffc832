"""IAM and STS through boto3: users and keys, roles and policies, sessions, and what each of them may do."""

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server

from tobo.resources.identity.session_tokens import mint

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ_ONE_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::iam-bucket/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::iam-bucket/secret"},
    ],
}
_NUMBERS = count()


@pytest.fixture
def iam(server: Server) -> Any:
    return server.client("iam")


@pytest.fixture
def user(iam: Any) -> Iterator[str]:
    name = f"user-{next(_NUMBERS)}"
    iam.create_user(UserName=name)
    yield name
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
        iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=inline)
    iam.delete_user(UserName=name)


@pytest.fixture
def role(iam: Any) -> str:
    name = f"role-{next(_NUMBERS)}"
    return str(
        iam.create_role(RoleName=name, Path="/x/", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["RoleName"]
    )


def keys_of(server: Server, found: dict[str, str]) -> dict[str, str]:
    """What boto3.client takes, of an access key or of Credentials."""
    keys = {"aws_access_key_id": found["AccessKeyId"], "aws_secret_access_key": found["SecretAccessKey"]}
    return keys | ({"aws_session_token": found["SessionToken"]} if "SessionToken" in found else {})


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_execution_role_is_born_with_the_account(server: Server, iam: Any) -> None:
    """The way of get_execution_role(): who am I, an assumed role's name, the role's ARN."""
    who = server.client("sts").get_caller_identity()
    kind, name, _ = who["Arn"].split(":", 5)[5].split("/")
    assert (kind, who["Account"]) == ("assumed-role", server.account)
    found = iam.get_role(RoleName=name)["Role"]
    assert found["Arn"] == f"arn:aws:iam::{server.account}:role/service-role/{name}"
    assert "sagemaker.amazonaws.com" in json.dumps(found["AssumeRolePolicyDocument"])
    simulated = iam.simulate_principal_policy(
        PolicySourceArn=found["Arn"],
        # the third is one of those without which SageMaker SDK 3.x does not train
        ActionNames=["sagemaker:CreateTrainingJob", "s3:GetObject", "ec2:DescribeVpcs", "iam:CreateUser"],
    )["EvaluationResults"]
    assert [result["EvalDecision"] for result in simulated] == ["allowed", "allowed", "allowed", "implicitDeny"]


def test_roles(iam: Any, role: str) -> None:
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == TRUST
    with pytest.raises(ClientError) as refused:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert code_of(refused) == ("EntityAlreadyExists", 409)
    with pytest.raises(ClientError) as refused:
        iam.get_role(RoleName="nobody")
    assert code_of(refused) == ("NoSuchEntity", 404)
    assert role in [found["RoleName"] for found in iam.list_roles(PathPrefix="/x/")["Roles"]]
    assert role not in [found["RoleName"] for found in iam.list_roles(PathPrefix="/y/")["Roles"]]
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    with pytest.raises(ClientError) as refused:
        iam.delete_role(RoleName=role)
    assert code_of(refused) == ("DeleteConflict", 409)
    iam.detach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.delete_role(RoleName=role)
    with pytest.raises(ClientError) as refused:
        iam.delete_role(RoleName=role)
    assert code_of(refused) == ("NoSuchEntity", 404)


@pytest.mark.parametrize(
    "document",
    ["no json", "[]", "{}", '{"Statement": [{"Effect": "Perhaps", "Action": "*"}]}', '{"Statement": {"Effect": "Allow"}}',
     '{"Statement": {"Effect": "Allow", "Action": {"a": 1}}}', '{"Statement": ["x"]}'],
)  # fmt: skip
def test_malformed_documents(iam: Any, role: str, document: str) -> None:
    with pytest.raises(ClientError) as refused:
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
    assert code_of(refused) == ("MalformedPolicyDocument", 400)


def test_inline_policies(iam: Any, role: str) -> None:
    iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=json.dumps(READ_ONE_BUCKET))
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["read"]
    assert iam.get_role_policy(RoleName=role, PolicyName="read")["PolicyDocument"] == READ_ONE_BUCKET
    iam.delete_role_policy(RoleName=role, PolicyName="read")
    with pytest.raises(ClientError) as refused:
        iam.get_role_policy(RoleName=role, PolicyName="read")
    assert code_of(refused) == ("NoSuchEntity", 404)


def test_policies(iam: Any, role: str) -> None:
    arn = iam.create_policy(PolicyName=f"policy-{role}", PolicyDocument=json.dumps(READ_ONE_BUCKET))["Policy"]["Arn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert (json.loads(unquote(document)) if isinstance(document, str) else document) == READ_ONE_BUCKET
    assert arn in [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert [p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]] == [arn]
    with pytest.raises(ClientError) as refused:
        iam.delete_policy(PolicyArn=arn)
    assert code_of(refused) == ("DeleteConflict", 409)
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    with pytest.raises(ClientError) as refused:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert code_of(refused) == ("NoSuchEntity", 404)
    iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")


def test_paging(iam: Any) -> None:
    names = [f"paged-{number:02d}" for number in range(7)]
    for name in names:
        iam.create_user(UserName=name, Path="/paged/")
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": 3}))
    assert [[user["UserName"] for user in page["Users"]] for page in pages] == [names[:3], names[3:6], names[6:]]
    with pytest.raises(ClientError) as refused:
        iam.list_users(Marker="bm9uc2Vuc2U=")
    assert code_of(refused) == ("InvalidInput", 400)
    for name in names:
        iam.delete_user(UserName=name)


def test_a_users_key_may_what_its_policies_say(server: Server, iam: Any, user: str) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="iam-bucket")
    for name in ("open", "secret"):
        s3.put_object(Bucket="iam-bucket", Key=name, Body=b"x")
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = server.client("s3", **keys_of(server, key))
    assert server.client("sts", **keys_of(server, key)).get_caller_identity()["Arn"].endswith(f":user/{user}")
    with pytest.raises(ClientError) as refused:
        theirs.get_object(Bucket="iam-bucket", Key="open")
    assert code_of(refused) == ("AccessDenied", 403)
    iam.put_user_policy(UserName=user, PolicyName="read", PolicyDocument=json.dumps(READ_ONE_BUCKET))
    assert theirs.get_object(Bucket="iam-bucket", Key="open")["Body"].read() == b"x"
    for refused_call in (
        lambda: theirs.get_object(Bucket="iam-bucket", Key="secret"),
        lambda: theirs.put_object(Bucket="iam-bucket", Key="open", Body=b"y"),
        lambda: server.client("sagemaker", **keys_of(server, key)).list_models(),
        lambda: server.client("iam", **keys_of(server, key)).create_user(UserName="more"),
    ):
        with pytest.raises(ClientError) as refused:
            refused_call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
        assert refused.value.response["Error"]["Code"].startswith("AccessDenied")
    iam.delete_user_policy(UserName=user, PolicyName="read")
    with pytest.raises(ClientError):
        theirs.get_object(Bucket="iam-bucket", Key="open")


def test_keys_are_switched_off_and_deleted_at_once(server: Server, iam: Any, user: str) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = server.client("sts", **keys_of(server, key))
    theirs.get_caller_identity()
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError) as refused:
        theirs.get_caller_identity()
    assert code_of(refused) == ("InvalidClientTokenId", 403)
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Active")
    theirs.get_caller_identity()
    iam.create_access_key(UserName=user)
    with pytest.raises(ClientError) as refused:
        iam.create_access_key(UserName=user)
    assert code_of(refused) == ("LimitExceeded", 409)
    with pytest.raises(ClientError) as refused:
        iam.delete_user(UserName=user)
    assert code_of(refused) == ("DeleteConflict", 409)
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    with pytest.raises(ClientError) as refused:
        theirs.get_caller_identity()
    assert code_of(refused) == ("InvalidClientTokenId", 403)


def test_assumed_role(server: Server, iam: Any, role: str) -> None:
    sts = server.client("sts")
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    with pytest.raises(ClientError) as refused:
        sts.assume_role(RoleArn=arn, RoleSessionName="session")
    assert code_of(refused) == ("AccessDenied", 403)
    mine = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": server.account}}]}  # type: ignore[dict-item]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(mine))
    with pytest.raises(ClientError) as refused:
        sts.assume_role(RoleArn=arn, RoleSessionName="session", DurationSeconds=7200)
    assert code_of(refused) == ("ValidationError", 400)
    assumed = sts.assume_role(RoleArn=arn, RoleSessionName="session")
    keys = keys_of(server, assumed["Credentials"])
    who = server.client("sts", **keys).get_caller_identity()
    assert (
        who["Arn"] == assumed["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{server.account}:assumed-role/{role}/session"
    )
    theirs = server.client("sagemaker", **keys)
    with pytest.raises(ClientError) as refused:
        theirs.list_models()
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerReadOnly")
    theirs.list_models()
    iam.detach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerReadOnly")
    iam.delete_role(RoleName=role)
    with pytest.raises(ClientError):
        theirs.list_models()


def test_expired_session(server: Server) -> None:
    root = f"arn:aws:iam::{server.account}:root"
    for expires, expected in ((time.time() + 60, None), (time.time() - 1, ("ExpiredToken", 403))):
        old = mint(server.keys[1], server.account, root, "", expires)
        sts = server.client(
            "sts",
            aws_access_key_id=old.access_key_id,
            aws_secret_access_key=old.secret_access_key,
            aws_session_token=old.token,
        )
        if expected is None:
            sts.get_caller_identity()
            continue
        with pytest.raises(ClientError) as refused:
            sts.get_caller_identity()
        assert code_of(refused) == expected


def test_boundaries_are_refused(iam: Any) -> None:
    with pytest.raises(ClientError) as refused:
        iam.create_user(UserName="bounded", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert code_of(refused) == ("InvalidInput", 400)


def limited(server: Server, role: str, policy: str) -> Any:
    """An S3 client of a session of the role with a session policy."""
    arn = f"arn:aws:iam::{server.account}:role/{role}"
    answer = server.client("sts").assume_role(RoleArn=arn, RoleSessionName="session", Policy=policy)
    found = answer["Credentials"]
    return server.client(
        "s3",
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    )


def test_a_session_policy_limits_what_the_role_may_do(server: Server) -> None:
    s3 = server.client("s3")
    for bucket in ("limited-here", "limited-there"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::limited-here/*"}
    session = limited(server, "service-role/AmazonSageMaker-ExecutionRole", json.dumps({"Statement": statement}))
    assert session.get_object(Bucket="limited-here", Key="key")["Body"].read() == b"body"
    for name, members in (
        ("get_object", {"Bucket": "limited-there", "Key": "key"}),
        ("put_object", {"Bucket": "limited-here", "Key": "key"}),
        ("list_objects_v2", {"Bucket": "limited-here"}),
        ("copy_object", {"Bucket": "limited-here", "Key": "copy", "CopySource": "limited-there/key"}),
        ("delete_objects", {"Bucket": "limited-here", "Delete": {"Objects": [{"Key": "key"}]}}),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(session, name)(**members)
        assert code_of(refused) == ("AccessDenied", 403), name


def test_a_session_policy_gives_nothing_that_the_role_has_not(server: Server, iam: Any, role: str) -> None:
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": server.account}, "Action": "sts:AssumeRole"}}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    session = limited(server, role, json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}))
    with pytest.raises(ClientError) as refused:
        session.list_buckets()
    assert code_of(refused) == ("AccessDenied", 403)


def test_a_session_policy_that_is_none(server: Server) -> None:
    with pytest.raises(ClientError) as refused:
        limited(server, "service-role/AmazonSageMaker-ExecutionRole", '{"Statement": 7}')
    assert code_of(refused) == ("MalformedPolicyDocument", 400)
