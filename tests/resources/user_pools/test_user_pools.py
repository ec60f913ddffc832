"""User pools with boto3: pools, clients, groups, people, and every list in pages of one."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.unique import unique
from tests.support.workforces import PASSWORD, Pool, make_pool

NAMES = ("ada", "ben", "<b>eve</b>")


@pytest.fixture(scope="module")
def pool(server: Server) -> Pool:
    """With three groups, and three people in all of them."""
    made = make_pool(server)
    made.cognito.create_user_pool_client(UserPoolId=made.id, ClientName="another one")
    for name in NAMES:
        made.group(f"group-{name}")
    for name in NAMES:
        made.cognito.admin_create_user(
            UserPoolId=made.id,
            Username=name,
            TemporaryPassword=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": f"{len(name)}@example.com"}],
        )
        for group in NAMES:
            made.cognito.admin_add_user_to_group(UserPoolId=made.id, Username=name, GroupName=f"group-{group}")
    return made


LISTS: dict[str, tuple[str, dict[str, str], int]] = {
    "list_user_pools": ("UserPools", {}, 3),
    "list_user_pool_clients": ("UserPoolClients", {"UserPoolId": "the pool's"}, 2),
    "list_groups": ("Groups", {"UserPoolId": "the pool's"}, 3),
    "list_users": ("Users", {"UserPoolId": "the pool's"}, 3),
    "list_users_in_group": ("Users", {"UserPoolId": "the pool's", "GroupName": "group-ada"}, 3),
    "admin_list_groups_for_user": ("Groups", {"UserPoolId": "the pool's", "Username": "ADA"}, 3),
}


@pytest.mark.parametrize("operation", LISTS)
def test_pages(server: Server, pool: Pool, operation: str) -> None:
    """Pages of one give what the whole list gives, in its order; another list's token is refused."""
    member, asked, least = LISTS[operation]
    if operation == "list_user_pools":
        for _ in range(2):
            make_pool(server)
    asked = {name: pool.id if name == "UserPoolId" else value for name, value in asked.items()}
    paginator = pool.cognito.get_paginator(operation)
    paged = [one for page in paginator.paginate(**asked, PaginationConfig={"PageSize": 1}) for one in page[member]]
    whole = [one for page in paginator.paginate(**asked, PaginationConfig={"PageSize": 60}) for one in page[member]]
    assert paged == whole and len(whole) >= least
    token = "PaginationToken" if operation == "list_users" else "NextToken"
    size = {"MaxResults": 1} if "pool" in operation else {"Limit": 1}
    with pytest.raises(ClientError, match=f"InvalidParameterException.*{token}"):
        getattr(pool.cognito, operation)(**asked, **size, **{token: "bm9uc2Vuc2U="})


def test_a_pool_from_birth_to_end(server: Server) -> None:
    cognito = server.client("cognito-idp")
    name = unique("people")
    policy = {"MinimumLength": 10, "RequireNumbers": True}
    made = cognito.create_user_pool(
        PoolName=name, Policies={"PasswordPolicy": policy}, UserPoolTags={"team": "a"}, DeletionProtection="ACTIVE"
    )["UserPool"]
    assert made["Id"].startswith("us-east-1_") and made["Arn"].endswith(f":userpool/{made['Id']}")
    again = cognito.describe_user_pool(UserPoolId=made["Id"])["UserPool"]
    assert again["Name"] == name and again["UserPoolTags"] == {"team": "a"} and again["EstimatedNumberOfUsers"] == 0
    assert again["Policies"]["PasswordPolicy"]["MinimumLength"] == 10
    assert again["Policies"]["PasswordPolicy"]["RequireSymbols"] is False
    with pytest.raises(ClientError, match="DeletionProtection ACTIVE"):
        cognito.delete_user_pool(UserPoolId=made["Id"])
    with pytest.raises(ClientError, match="MfaConfiguration ON would promise"):
        cognito.create_user_pool(PoolName=name, MfaConfiguration="ON")


def test_a_pool_goes_with_all_that_is_in_it(server: Server) -> None:
    pool = make_pool(server)
    pool.person("ada", pool.group("labellers"))
    pool.cognito.create_user_pool_domain(UserPoolId=pool.id, Domain="marbles")
    assert pool.cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Domain"] == "marbles"
    with pytest.raises(ClientError, match="domain 'marbles'"):
        pool.cognito.delete_user_pool(UserPoolId=pool.id)
    pool.cognito.delete_user_pool_domain(UserPoolId=pool.id, Domain="marbles")
    pool.cognito.delete_user_pool(UserPoolId=pool.id)
    for asked in (
        lambda: pool.cognito.describe_user_pool(UserPoolId=pool.id),
        lambda: pool.cognito.list_users(UserPoolId=pool.id),
        lambda: pool.cognito.admin_get_user(UserPoolId=pool.id, Username="ada"),
        lambda: pool.sign_in("ada", PASSWORD),
    ):
        with pytest.raises(ClientError, match=f"ResourceNotFoundException.*User pool {pool.id} does not exist"):
            asked()


def test_clients_and_their_secrets(server: Server) -> None:
    pool = make_pool(server)
    asked = {"UserPoolId": pool.id, "ClientName": "web"}
    made = pool.cognito.create_user_pool_client(**asked, GenerateSecret=True, CallbackURLs=["https://example.com/"])
    client = made["UserPoolClient"]
    assert len(client["ClientSecret"]) >= 24
    again = pool.cognito.describe_user_pool_client(UserPoolId=pool.id, ClientId=client["ClientId"])["UserPoolClient"]
    assert again["ClientSecret"] == client["ClientSecret"] and again["CallbackURLs"] == ["https://example.com/"]
    listed = pool.cognito.list_user_pool_clients(UserPoolId=pool.id)["UserPoolClients"]
    assert all("ClientSecret" not in one for one in listed)
    pool.cognito.delete_user_pool_client(UserPoolId=pool.id, ClientId=client["ClientId"])
    with pytest.raises(ClientError, match=f"User pool client {client['ClientId']} does not exist"):
        pool.cognito.describe_user_pool_client(UserPoolId=pool.id, ClientId=client["ClientId"])


def test_groups(pool: Pool) -> None:
    group = unique("group")
    made = pool.cognito.create_group(UserPoolId=pool.id, GroupName=group, Description="<i>markup</i>", Precedence=1)
    assert made["Group"]["Description"] == "<i>markup</i>"
    with pytest.raises(ClientError, match=f"GroupExistsException.*'{group}' already exists"):
        pool.cognito.create_group(UserPoolId=pool.id, GroupName=group)
    for _ in range(2):  # a second time changes nothing
        pool.cognito.admin_add_user_to_group(UserPoolId=pool.id, Username="Ada", GroupName=group)
    in_it = pool.cognito.list_users_in_group(UserPoolId=pool.id, GroupName=group)["Users"]
    assert [user["Username"] for user in in_it] == ["ada"]
    for _ in range(2):
        pool.cognito.admin_remove_user_from_group(UserPoolId=pool.id, Username="ada", GroupName=group)
    assert pool.cognito.list_users_in_group(UserPoolId=pool.id, GroupName=group)["Users"] == []
    pool.cognito.admin_add_user_to_group(UserPoolId=pool.id, Username="ada", GroupName=group)
    pool.cognito.delete_group(UserPoolId=pool.id, GroupName=group)
    of_ada = pool.cognito.admin_list_groups_for_user(UserPoolId=pool.id, Username="ada")["Groups"]
    assert group not in [one["GroupName"] for one in of_ada] and len(of_ada) == 3
    with pytest.raises(ClientError, match=f"The group '{group}' does not exist"):
        pool.cognito.get_group(UserPoolId=pool.id, GroupName=group)
    with pytest.raises(ClientError, match="UserNotFoundException"):
        pool.cognito.admin_add_user_to_group(UserPoolId=pool.id, Username="nobody", GroupName="group-ada")


def test_people(pool: Pool) -> None:
    found = pool.cognito.admin_get_user(UserPoolId=pool.id, Username="<b>eve</b>")
    assert found["Username"] == "<b>eve</b>" and found["UserStatus"] == "FORCE_CHANGE_PASSWORD" and found["Enabled"]
    assert {one["Name"] for one in found["UserAttributes"]} == {"sub", "email"}
    with pytest.raises(ClientError, match="UsernameExistsException"):
        pool.cognito.admin_create_user(UserPoolId=pool.id, Username="ADA", TemporaryPassword=PASSWORD)
    name = unique("gone")
    pool.person(name, "group-ada")
    pool.cognito.admin_delete_user(UserPoolId=pool.id, Username=name)
    with pytest.raises(ClientError, match=f"UserNotFoundException.*'{name}'"):
        pool.cognito.admin_get_user(UserPoolId=pool.id, Username=name)
    in_it = pool.cognito.list_users_in_group(UserPoolId=pool.id, GroupName="group-ada")["Users"]
    assert name not in [user["Username"] for user in in_it]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('username = "ADA"', ["ada"]),
        ('username ^= "a"', ["ada"]),
        ('email = "10@example.com"', ["<b>eve</b>"]),
        ('"email" ^= "3"', ["ada", "ben"]),
        ('status = "Disabled"', []),
        ('cognito:user_status = "FORCE_CHANGE_PASSWORD"', ["<b>eve</b>", "ada", "ben"]),
        ('phone_number ^= ""', []),
    ],
)
def test_filters(pool: Pool, text: str, names: list[str]) -> None:
    found: list[Any] = pool.cognito.list_users(UserPoolId=pool.id, Filter=text, AttributesToGet=["email"])["Users"]
    assert [user["Username"] for user in found] == names
    assert all([one["Name"] for one in user["Attributes"]] == ["email"] for user in found)


def test_a_filter_that_cannot_be_read(pool: Pool) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterException.*'username = ada' cannot be read"):
        pool.cognito.list_users(UserPoolId=pool.id, Filter="username = ada")


def test_names_that_differ_in_case_alone(server: Server) -> None:
    pool = make_pool(server, UsernameConfiguration={"CaseSensitive": True})
    pool.person("ada")
    with pytest.raises(ClientError, match="UserNotFoundException"):
        pool.cognito.admin_get_user(UserPoolId=pool.id, Username="Ada")
    pool.person("Ada")
    assert len(pool.cognito.list_users(UserPoolId=pool.id)["Users"]) == 2
