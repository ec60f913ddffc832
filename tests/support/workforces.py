"""A private workforce as boto3 scripts create it: a pool, its client, a group, and people in it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.conftest import Server
from tests.support.unique import unique

PASSWORD = "Labels-4-marbles"
"""Fits the default policy."""


@dataclass(frozen=True)
class Pool:
    """A user pool with a client that may check passwords."""

    cognito: Any
    id: str
    client: str

    def group(self, name: str) -> str:
        self.cognito.create_group(UserPoolId=self.id, GroupName=name)
        return name

    def person(self, name: str, *groups: str) -> str:
        """With a password of its own."""
        self.cognito.admin_create_user(UserPoolId=self.id, Username=name, TemporaryPassword=PASSWORD)
        self.cognito.admin_set_user_password(UserPoolId=self.id, Username=name, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.cognito.admin_add_user_to_group(UserPoolId=self.id, Username=name, GroupName=group)
        return name

    def sign_in(self, name: str, password: str) -> Any:
        return self.cognito.admin_initiate_auth(
            UserPoolId=self.id,
            ClientId=self.client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )

    def member(self, group: str) -> dict[str, Any]:
        return {"CognitoMemberDefinition": {"UserPool": self.id, "UserGroup": group, "ClientId": self.client}}


def make_pool(server: Server, region: str = "us-east-1", **options: Any) -> Pool:
    cognito = server.client("cognito-idp", region=region)
    pool = cognito.create_user_pool(PoolName=unique("people"), **options)["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="labelling", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    return Pool(cognito, pool, client)


def team_of(server: Server, name: str = "everybody", region: str = "us-east-1") -> str:
    """The ARN of a work team; it, its group, the pool and the workforce are made as far as they are not there."""
    at = (server.account, region, name)
    if at not in _TEAMS:
        _TEAMS[at] = _made(server, name, region)
    return _TEAMS[at]


_TEAMS: dict[tuple[str, str, str], str] = {}


def _made(server: Server, name: str, region: str) -> str:
    sagemaker = server.client("sagemaker", region=region)
    workforces = sagemaker.list_workforces()["Workforces"]
    if workforces:
        its = workforces[0]["CognitoConfig"]
        pool = Pool(server.client("cognito-idp", region=region), its["UserPool"], its["ClientId"])
    else:
        pool = make_pool(server, region)
    with suppress(pool.cognito.exceptions.GroupExistsException):
        pool.group(name)
    try:
        return str(
            sagemaker.create_workteam(WorkteamName=name, Description=name, MemberDefinitions=[pool.member(name)])[
                "WorkteamArn"
            ]
        )
    except sagemaker.exceptions.ResourceInUse:
        return str(sagemaker.describe_workteam(WorkteamName=name)["Workteam"]["WorkteamArn"])
