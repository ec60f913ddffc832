"""Workforces and work teams with boto3; each test in a region of its own, for a region has one workforce."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.unique import own_region, unique
from tests.support.workforces import Pool, make_pool

OIDC = {
    "ClientId": "labels",
    "ClientSecret": "an-oidc-secret-9431",
    "Issuer": "https://id.example.com",
    "AuthorizationEndpoint": "https://id.example.com/a",
    "TokenEndpoint": "https://id.example.com/t",
    "UserInfoEndpoint": "https://id.example.com/u",
    "LogoutEndpoint": "https://id.example.com/l",
    "JwksUri": "https://id.example.com/k",
}


@pytest.fixture(scope="module")
def region() -> str:
    return own_region()


@pytest.fixture(scope="module")
def pool(server: Server, region: str) -> Pool:
    made = make_pool(server, region)
    for group in ("red", "green", "<i>blue</i>"):
        made.group(group)
    made.person("ada", "red", "green")
    made.person("ben", "green")
    return made


@pytest.fixture(scope="module")
def sagemaker(server: Server, region: str, pool: Pool) -> Any:
    """Where there is the team Marbles, and with it the default workforce."""
    made = server.client("sagemaker", region=region)
    team(made, "Marbles", pool.member("red"), pool.member("green"))
    return made


def config(pool: Pool) -> dict[str, str]:
    return {"UserPool": pool.id, "ClientId": pool.client}


def team(sagemaker: Any, name: str, *definitions: dict[str, Any], **more: Any) -> Any:
    return sagemaker.create_workteam(
        WorkteamName=name, Description="looks at marbles", MemberDefinitions=list(definitions), **more
    )


def test_the_first_team_makes_the_default_workforce(server: Server) -> None:
    region = own_region()
    sagemaker, pool = server.client("sagemaker", region=region), make_pool(server, region)
    for group in ("red", "green"):
        pool.group(group)
    arn = team(sagemaker, "Marbles", pool.member("red"), pool.member("green"))["WorkteamArn"]
    assert arn == f"arn:aws:sagemaker:{region}:{server.account}:workteam/private-crowd/Marbles"
    [workforce] = sagemaker.list_workforces()["Workforces"]
    assert workforce["WorkforceName"] == "default" and workforce["CognitoConfig"] == config(pool)
    found = sagemaker.describe_workteam(WorkteamName="Marbles")["Workteam"]
    assert found["WorkforceArn"] == workforce["WorkforceArn"] and found["WorkteamArn"] == arn
    host = server.endpoint.removeprefix("http://")
    assert found["SubDomain"] == workforce["SubDomain"] == f"{host}/_tobo/console/work"
    with pytest.raises(ClientError, match=rf"ResourceInUse.*{arn}"):
        team(sagemaker, "Marbles", pool.member("red"))
    with pytest.raises(ClientError, match=r"one workforce a region.*'default'"):
        sagemaker.create_workforce(WorkforceName="second", CognitoConfig=config(pool))
    with pytest.raises(ClientError, match=r"ResourceInUse.*has work teams"):
        sagemaker.delete_workforce(WorkforceName="default")


def test_teams_in_pages(sagemaker: Any, pool: Pool) -> None:
    names = [unique(f"page-{number}") for number in range(3)]
    for name in names:
        team(sagemaker, name, pool.member("red"))
    paginator = sagemaker.get_paginator("list_workteams")
    asked: dict[str, Any] = {"NameContains": "page", "SortBy": "Name", "SortOrder": "Ascending"}
    pages = [page["Workteams"] for page in paginator.paginate(**asked, PaginationConfig={"PageSize": 1})]
    assert [one["WorkteamName"] for page in pages for one in page] == names
    token = sagemaker.list_workteams(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="NextToken belongs to a request with other filters"):
        sagemaker.list_workteams(**asked, NextToken=token)
    newest = sagemaker.list_workteams(SortBy="CreateDate")["Workteams"][0]
    assert newest["WorkteamName"] == names[-1]


def test_a_team_changes_and_ends(sagemaker: Any, pool: Pool) -> None:
    name = unique("team")
    team(sagemaker, name, pool.member("red"), Tags=[{"Key": "line", "Value": "1"}], WorkforceName="default")
    topic = "arn:aws:sns:eu-west-1:111122223333:told"
    changed = sagemaker.update_workteam(
        WorkteamName=name,
        MemberDefinitions=[pool.member("<i>blue</i>")],
        NotificationConfiguration={"NotificationTopicArn": topic},
    )["Workteam"]
    assert changed["MemberDefinitions"] == [pool.member("<i>blue</i>")]
    assert changed["Description"] == "looks at marbles"
    assert changed["NotificationConfiguration"] == {"NotificationTopicArn": topic}
    assert changed["LastUpdatedDate"] > changed["CreateDate"]
    arn = changed["WorkteamArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "line", "Value": "1"}]
    with pytest.raises(ClientError, match="The group 'violet' does not exist"):
        sagemaker.update_workteam(WorkteamName=name, MemberDefinitions=[pool.member("violet")])
    assert sagemaker.delete_workteam(WorkteamName=name)["Success"] is True
    for ask in (sagemaker.describe_workteam, sagemaker.delete_workteam, sagemaker.update_workteam):
        with pytest.raises(ClientError, match=f"ValidationException.*There is no work team '{name}'"):
            ask(WorkteamName=name)


def test_what_no_team_is_made_of(server: Server, sagemaker: Any, pool: Pool, region: str) -> None:
    other = make_pool(server, region)
    other.group("red")
    both = {**pool.member("red"), "OidcMemberDefinition": {"Groups": ["a"]}}
    for definitions, sentence in (
        ([pool.member("violet")], "MemberDefinitions.1: The group 'violet' does not exist"),
        ([pool.member("red"), other.member("red")], f"MemberDefinitions.2 is of the pool {other.id}"),
        ([both], "either a CognitoMemberDefinition or an OidcMemberDefinition"),
        ([{}], "either a CognitoMemberDefinition or an OidcMemberDefinition"),
        ([{"OidcMemberDefinition": {"Groups": ["a"]}}], "create a workforce with an OidcConfig"),
    ):
        with pytest.raises(ClientError, match=sentence):
            team(sagemaker, unique("bad"), *definitions)
    with pytest.raises(ClientError, match="There is no workforce 'nobodys'"):
        team(sagemaker, unique("bad"), pool.member("red"), WorkforceName="nobodys")


def test_a_team_that_is_refused_leaves_no_workforce(server: Server) -> None:
    """A team that is refused leaves no workforce behind."""
    region = own_region()
    sagemaker, pool = server.client("sagemaker", region=region), make_pool(server, region)
    with pytest.raises(ClientError, match="The group 'violet' does not exist"):
        team(sagemaker, "refused", pool.member("violet"))
    assert sagemaker.list_workforces()["Workforces"] == []


def test_a_workforce_from_birth_to_end(server: Server) -> None:
    region = own_region()
    sagemaker, pool = server.client("sagemaker", region=region), make_pool(server, region)
    name, cidrs = unique("people"), {"Cidrs": ["192.168.0.0/16", "10.1.2.3/8", "fd00::/8"]}
    for wrong, sentence in (
        ({"UserPool": pool.id, "ClientId": "nobody"}, "User pool client nobody does not exist"),
        ({"UserPool": f"{region}_nobody", "ClientId": pool.client}, f"User pool {region}_nobody does not exist"),
        ({"UserPool": pool.id, "ClientId": "<b>"}, "ClientId|clientId"),
    ):
        with pytest.raises(ClientError, match=f"ValidationException.*{sentence}"):
            sagemaker.create_workforce(WorkforceName=name, CognitoConfig=wrong)
    with pytest.raises(ClientError, match="either a CognitoConfig or an OidcConfig"):
        sagemaker.create_workforce(WorkforceName=name)
    asked: dict[str, Any] = {"WorkforceName": name, "CognitoConfig": config(pool)}
    with pytest.raises(ClientError, match="has 11 blocks; it may have at most 10"):
        sagemaker.create_workforce(**asked, SourceIpConfig={"Cidrs": [f"10.{n}.0.0/16" for n in range(11)]})
    with pytest.raises(ClientError, match="names a VPC, and there is none here"):
        sagemaker.create_workforce(**asked, WorkforceVpcConfig={"VpcId": "vpc-1"})
    arn = sagemaker.create_workforce(**asked, SourceIpConfig=cidrs, Tags=[{"Key": "a", "Value": "b"}])["WorkforceArn"]
    assert arn == f"arn:aws:sagemaker:{region}:{server.account}:workforce/{name}"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    found = sagemaker.describe_workforce(WorkforceName=name)["Workforce"]
    assert found["SourceIpConfig"] == cidrs and found["Status"] == "Active"
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.create_workforce(**asked)
    with pytest.raises(ClientError, match="signs in with Cognito"):
        sagemaker.update_workforce(WorkforceName=name, OidcConfig=OIDC)
    changed = sagemaker.update_workforce(WorkforceName=name, SourceIpConfig={"Cidrs": ["10.0.0.0/8"]})["Workforce"]
    assert changed["SourceIpConfig"]["Cidrs"] == ["10.0.0.0/8"] and changed["CognitoConfig"] == config(pool)
    sagemaker.delete_workforce(WorkforceName=name)
    for ask in (sagemaker.describe_workforce, sagemaker.update_workforce, sagemaker.delete_workforce):
        with pytest.raises(ClientError, match=f"ValidationException.*There is no workforce '{name}'"):
            ask(WorkforceName=name)


def test_an_oidc_workforce_and_its_secret(server: Server) -> None:
    region = own_region()
    sagemaker = server.client("sagemaker", region=region)
    sagemaker.create_workforce(WorkforceName="elsewhere", OidcConfig=OIDC)
    team(sagemaker, "oidc", {"OidcMemberDefinition": {"Groups": ["labellers"]}})
    with pytest.raises(ClientError, match="the workforce 'elsewhere' has an OidcConfig"):
        pool = make_pool(server, region)
        team(sagemaker, "cognito", pool.member(pool.group("red")))
    with pytest.raises(ClientError, match=r"ConflictException.*has work teams"):
        sagemaker.update_workforce(WorkforceName="elsewhere", OidcConfig=OIDC)
    sagemaker.delete_workteam(WorkteamName="oidc")
    new = {**OIDC, "ClientSecret": "another-oidc-secret-77", "Scope": "openid"}
    told = str(sagemaker.update_workforce(WorkforceName="elsewhere", OidcConfig=new))
    told += str(sagemaker.describe_workforce(WorkforceName="elsewhere")) + str(sagemaker.list_workforces())
    assert "'Scope': 'openid'" in told and "secret" not in told.lower()
    events = str(server.client("cloudtrail", region=region).lookup_events(MaxResults=50)["Events"])
    assert "UpdateWorkforce" in events and "oidc-secret" not in events


def test_of_two_first_workforces_one_stays(server: Server) -> None:
    region = own_region()
    pool = make_pool(server, region)

    def create(number: int) -> str:
        try:
            server.client("sagemaker", region=region).create_workforce(
                WorkforceName=f"first-{number}", CognitoConfig=config(pool)
            )
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "made"

    with ThreadPoolExecutor(4) as threads:
        codes = list(threads.map(create, range(8)))
    left = server.client("sagemaker", region=region).list_workforces()["Workforces"]
    assert len(left) == 1 and codes.count("made") == 1 and set(codes) == {"made", "ResourceLimitExceeded"}


def test_there_are_no_vendors(sagemaker: Any) -> None:
    assert sagemaker.list_subscribed_workteams()["SubscribedWorkteams"] == []
    with pytest.raises(ClientError, match="NextToken is not one"):
        sagemaker.list_subscribed_workteams(NextToken="bm9uc2Vuc2U=")
    arn = "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"
    with pytest.raises(ClientError, match=r"outside of this house. Import the result file"):
        sagemaker.describe_subscribed_workteam(WorkteamArn=arn)


def test_policies_name_pools_and_teams(server: Server, sagemaker: Any, pool: Pool, region: str) -> None:
    arn = f"arn:aws:cognito-idp:{region}:{server.account}:userpool/{pool.id}"
    allowed = [
        {"Effect": "Allow", "Action": "cognito-idp:ListUsers", "Resource": arn},
        {
            "Effect": "Allow",
            "Action": "sagemaker:DescribeWorkteam",
            "Resource": "arn:aws:sagemaker:*:*:workteam/marbles",
        },
    ]
    key, secret = limited_user(server, unique("limited"), *allowed)
    its = {"aws_access_key_id": key, "aws_secret_access_key": secret}
    cognito = server.client("cognito-idp", region=region, **its)
    assert len(cognito.list_users(UserPoolId=pool.id)["Users"]) == 2
    with pytest.raises(ClientError, match=r"cognito-idp:AdminGetUser on resource: " + arn):
        cognito.admin_get_user(UserPoolId=pool.id, Username="ada")
    limited = server.client("sagemaker", region=region, **its)
    assert limited.describe_workteam(WorkteamName="Marbles")["Workteam"]["WorkteamName"] == "Marbles"
    with pytest.raises(ClientError, match="AccessDenied"):
        team(limited, "mine", pool.member("red"))
