"""Who is in a team, which teams a person is in, and from where they may work."""

from pathlib import Path
from typing import Any

import pytest

from tobo.app import build
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.workers import may_work_from, members, teams_of
from tobo.settings import Settings

SPACE = Namespace("111122223333", "us-east-1")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return build(Settings(tmp_path, account_id=SPACE.account, warm=False))[0]


def test_teams_and_members(context: Context) -> None:
    def cognito(name: str, **asked: Any) -> Any:
        return context.as_house(SPACE, "cognito-idp", name, **asked)

    pool = cognito("CreateUserPool", PoolName="people")["UserPool"]["Id"]
    client = cognito("CreateUserPoolClient", UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
    for group in ("red", "green"):
        cognito("CreateGroup", UserPoolId=pool, GroupName=group)
    for number in range(65):  # more than a page
        name = f"p{number:02}"
        cognito("CreateGroup", UserPoolId=pool, GroupName=f"other-{number:02}")
        context.store.insert(_user(context, pool, name))
        cognito("AdminAddUserToGroup", UserPoolId=pool, Username=name, GroupName="red")
    for group in ("green", *(f"other-{number:02}" for number in range(65))):
        cognito("AdminAddUserToGroup", UserPoolId=pool, Username="p64", GroupName=group)
    for team, groups in (("a", ("red", "green")), ("b", ("green",)), ("c", ("red",))):
        definitions = [
            {"CognitoMemberDefinition": {"UserPool": pool, "UserGroup": group, "ClientId": client}} for group in groups
        ]
        asked = {"WorkteamName": team, "Description": "d", "MemberDefinitions": definitions}
        context.as_house(SPACE, "sagemaker", "CreateWorkteam", **asked)

    def names(user: str) -> list[str]:
        return [team["WorkteamName"] for team in teams_of(context, SPACE, pool, user)]

    assert names("p64") == ["a", "b", "c"] and names("P00") == ["a", "c"]
    assert [user["Username"] for user in members(context, SPACE, "a")] == [f"p{number:02}" for number in range(65)]
    assert [user["Username"] for user in members(context, SPACE, "b")] == ["p64"]
    cognito("DeleteGroup", UserPoolId=pool, GroupName="green")
    assert members(context, SPACE, "b") == [] and names("p64") == ["a", "c"]
    with pytest.raises(Fault, match="UserNotFoundException"):
        names("nobody")


def test_the_house_checks_a_password_whatever_the_client_is_for(context: Context) -> None:
    """As the pool's own sign-in page does: scripts for AWS make clients that let nobody else ask."""

    def cognito(name: str, **asked: Any) -> Any:
        return context.as_house(SPACE, "cognito-idp", name, **asked)

    pool = cognito("CreateUserPool", PoolName="people")["UserPool"]["Id"]
    asked = {"UserPoolId": pool, "ClientName": "c", "GenerateSecret": True}
    client = cognito("CreateUserPoolClient", **asked)["UserPoolClient"]["ClientId"]
    cognito("AdminCreateUser", UserPoolId=pool, Username="ada", TemporaryPassword="Temp0rary-1")

    def sign_in(password: str) -> Any:
        given = {"USERNAME": "ada", "PASSWORD": password}
        its = {"UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}
        return cognito("AdminInitiateAuth", **its, AuthParameters=given)

    with pytest.raises(Fault, match="Incorrect username or password"):
        sign_in("Temp0rary-2")
    begun = sign_in("Temp0rary-1")
    answered = cognito(
        "AdminRespondToAuthChallenge",
        UserPoolId=pool,
        ClientId=client,
        ChallengeName=begun["ChallengeName"],
        Session=begun["Session"],
        ChallengeResponses={"USERNAME": "ada", "NEW_PASSWORD": "My-0wn-choice"},
    )
    assert answered["AuthenticationResult"] and sign_in("My-0wn-choice")["AuthenticationResult"]


def _user(context: Context, pool: str, name: str) -> Any:
    """A user without the fifth of a second that sealing a password takes."""
    from tobo.store.base import Key, Row

    found = {"Attributes": [], "Enabled": True, "UserStatus": "CONFIRMED", "_password": ""}
    return Row(Key(SPACE, "user-pool-user", f"{pool} {name}"), "", {"Username": name}, found, "Active", "Active", 0, 0)


@pytest.mark.parametrize(
    ("blocks", "address", "may"),
    [
        ([], "203.0.113.9", True),
        ([], "", True),
        (["10.0.0.0/8"], "10.200.1.1", True),
        (["10.1.2.3/8"], "10.200.1.1", True),
        (["10.0.0.0/8"], "11.0.0.1", False),
        (["10.0.0.0/8", "fd00::/8"], "fd12::1", True),
        (["10.0.0.0/8"], "::1", False),
        (["10.0.0.0/8"], "nonsense", False),
    ],
)
def test_from_where_people_may_work(blocks: list[str], address: str, may: bool) -> None:
    workforce = {"SourceIpConfig": {"Cidrs": blocks}} if blocks else {}
    assert may_work_from(workforce, address) is may
