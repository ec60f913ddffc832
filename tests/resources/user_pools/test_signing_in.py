"""Signing in: right and wrong passwords, temporary ones, lock-out; and nothing of a password is told or logged."""

import base64
import hmac
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.unique import unique
from tests.support.workforces import PASSWORD, Pool, make_pool

OWN = "My-0wn-choice"


@pytest.fixture(scope="module")
def pool(server: Server) -> Pool:
    return make_pool(server)


def test_who_has_the_right_password(pool: Pool) -> None:
    name = pool.person(unique("ada"))
    result = pool.sign_in(name.upper(), PASSWORD)["AuthenticationResult"]
    assert result["TokenType"] == "Bearer" and result["AccessToken"] != result["IdToken"]
    for wrong in ("", " ", PASSWORD.lower(), PASSWORD + "x"):
        with pytest.raises(ClientError, match=r"Incorrect username or password|needs USERNAME and PASSWORD"):
            pool.sign_in(name, wrong)
    pool.cognito.admin_disable_user(UserPoolId=pool.id, Username=name)
    with pytest.raises(ClientError, match=r"NotAuthorizedException.*User is disabled"):
        pool.sign_in(name, PASSWORD)
    assert not pool.cognito.admin_get_user(UserPoolId=pool.id, Username=name)["Enabled"]
    pool.cognito.admin_enable_user(UserPoolId=pool.id, Username=name)
    assert "AuthenticationResult" in pool.sign_in(name, PASSWORD)


def test_accents_however_they_are_typed(pool: Pool) -> None:
    name = pool.person(unique("zoe"))
    pool.cognito.admin_set_user_password(UserPoolId=pool.id, Username=name, Password="Zo\u00eb-1234", Permanent=True)
    assert "AuthenticationResult" in pool.sign_in(name, "Zoe\u0308-1234")


def test_a_temporary_password_is_changed(pool: Pool) -> None:
    name = unique("ben")
    made = pool.cognito.admin_create_user(UserPoolId=pool.id, Username=name, MessageAction="SUPPRESS")["User"]
    told = {one["Name"]: one["Value"] for one in made["Attributes"]}["tobo:temporary_password"]
    known = pool.cognito.admin_get_user(UserPoolId=pool.id, Username=name)
    assert [one["Name"] for one in known["UserAttributes"]] == ["sub"]  # told once
    begun = pool.sign_in(name, told)
    assert begun["ChallengeName"] == "NEW_PASSWORD_REQUIRED" and "AuthenticationResult" not in begun

    def respond(password: str, session: str = begun["Session"], who: str = name) -> Any:
        return pool.cognito.admin_respond_to_auth_challenge(
            UserPoolId=pool.id,
            ClientId=pool.client,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=session,
            ChallengeResponses={"USERNAME": who, "NEW_PASSWORD": password},
        )

    other = pool.person(unique("eve"))
    for session, who in ((begun["Session"][::-1], name), (begun["Session"], other), (begun["Session"], "nobody")):
        with pytest.raises(ClientError, match=r"NotAuthorizedException.*Invalid session"):
            respond(OWN, session, who)
    with pytest.raises(ClientError, match=r"InvalidPasswordException.*at least 8 characters.*a digit"):
        respond("short")
    with pytest.raises(ClientError, match=r"InvalidPasswordException.*a password of your own"):
        respond(told)
    assert "AuthenticationResult" in respond(OWN)
    with pytest.raises(ClientError, match="Invalid session"):
        respond(OWN)
    with pytest.raises(ClientError, match="Incorrect username or password"):
        pool.sign_in(name, told)
    assert "AuthenticationResult" in pool.sign_in(name, OWN)
    assert pool.cognito.admin_get_user(UserPoolId=pool.id, Username=name)["UserStatus"] == "CONFIRMED"
    with pytest.raises(ClientError, match=r"UnsupportedUserStateException.*has chosen a password"):
        pool.cognito.admin_create_user(UserPoolId=pool.id, Username=name, MessageAction="RESEND")


def test_resend_gives_another_temporary_password(pool: Pool) -> None:
    name = unique("cy")
    pool.cognito.admin_create_user(UserPoolId=pool.id, Username=name, TemporaryPassword=PASSWORD)
    again = pool.cognito.admin_create_user(UserPoolId=pool.id, Username=name, MessageAction="RESEND")["User"]
    told = {one["Name"]: one["Value"] for one in again["Attributes"]}["tobo:temporary_password"]
    with pytest.raises(ClientError, match="Incorrect username or password"):
        pool.sign_in(name, PASSWORD)
    assert pool.sign_in(name, told)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_who_guesses_is_locked_out(pool: Pool) -> None:
    """Guesses that come at once count like those that come one by one; a new password ends the lock-out."""
    name = pool.person(unique("dee"))

    def guess(number: int) -> str:
        try:
            pool.sign_in(name, f"Guess-{number}-x")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "in"

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(guess, range(24)))
    assert set(codes) == {"NotAuthorizedException", "TooManyRequestsException"}
    assert codes.count("TooManyRequestsException") >= 10
    for number in range(24, 40):
        guess(number)
    with pytest.raises(ClientError, match=r"TooManyRequestsException.*Password attempts exceeded"):
        pool.sign_in(name, PASSWORD)
    pool.cognito.admin_set_user_password(UserPoolId=pool.id, Username=name, Password=OWN, Permanent=True)
    assert "AuthenticationResult" in pool.sign_in(name, OWN)


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Ab1-", "at least 8 characters"),
        ("abcdefg1-", "an uppercase letter"),
        ("ABCDEFG1-", "a lowercase letter"),
        ("Abcdefgh-", "a digit"),
        ("Abcdefgh1", "one of "),
        ("a" * 257, "Member must have length"),
        ("Ab1- Ab1-", "regular expression"),
    ],
)
def test_the_policy(pool: Pool, password: str, missing: str) -> None:
    """The refusal says what is missing, and not the password."""
    for ask in (pool.cognito.admin_create_user, pool.cognito.admin_set_user_password):
        name = pool.person(unique("poly")) if ask == pool.cognito.admin_set_user_password else unique("poly")
        member = "Password" if ask == pool.cognito.admin_set_user_password else "TemporaryPassword"
        with pytest.raises(ClientError, match=missing) as refused:
            ask(UserPoolId=pool.id, Username=name, **{member: password})
        assert password not in str(refused.value)
        assert refused.value.response["Error"]["Code"] in ("InvalidPasswordException", "InvalidParameterException")


def test_who_does_not_exist(pool: Pool) -> None:
    with pytest.raises(ClientError, match="UserNotFoundException"):
        pool.sign_in(unique("nobody"), PASSWORD)
    client = pool.cognito.create_user_pool_client(
        UserPoolId=pool.id,
        ClientName="quiet",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
        PreventUserExistenceErrors="ENABLED",
    )["UserPoolClient"]["ClientId"]
    with pytest.raises(ClientError, match=r"NotAuthorizedException.*Incorrect username or password"):
        Pool(pool.cognito, pool.id, client).sign_in(unique("nobody"), PASSWORD)


def test_a_client_that_may_not_and_one_with_a_secret(pool: Pool) -> None:
    name = pool.person(unique("fay"))
    plain = pool.cognito.create_user_pool_client(UserPoolId=pool.id, ClientName="plain")["UserPoolClient"]["ClientId"]
    with pytest.raises(ClientError, match=r"Auth flow not enabled.*ALLOW_ADMIN_USER_PASSWORD_AUTH"):
        Pool(pool.cognito, pool.id, plain).sign_in(name, PASSWORD)
    with pytest.raises(ClientError, match="AuthFlow USER_SRP_AUTH is not built"):
        pool.cognito.admin_initiate_auth(UserPoolId=pool.id, ClientId=pool.client, AuthFlow="USER_SRP_AUTH")
    secret = pool.cognito.create_user_pool_client(
        UserPoolId=pool.id,
        ClientName="secret",
        GenerateSecret=True,
        ExplicitAuthFlows=["ADMIN_NO_SRP_AUTH"],
    )["UserPoolClient"]
    with pytest.raises(ClientError, match="Unable to verify secret hash"):
        Pool(pool.cognito, pool.id, secret["ClientId"]).sign_in(name, PASSWORD)
    hashed = hmac.digest(secret["ClientSecret"].encode(), (name + secret["ClientId"]).encode(), "sha256")
    result = pool.cognito.admin_initiate_auth(
        UserPoolId=pool.id,
        ClientId=secret["ClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD, "SECRET_HASH": base64.b64encode(hashed).decode()},
    )
    assert "AuthenticationResult" in result


def test_passwords_are_nowhere(fresh_server: Callable[..., Server]) -> None:
    """Neither in the log, the audit log, the store, nor in what anybody is answered."""
    server = fresh_server()
    pool = make_pool(server)
    secrets = ["First-Tempor4ry", "Wrong-Guess-77", "My-0wn-choice-9"]
    pool.cognito.admin_create_user(UserPoolId=pool.id, Username="ada", TemporaryPassword=secrets[0])
    with pytest.raises(ClientError):
        pool.sign_in("ada", secrets[1])
    session = pool.sign_in("ada", secrets[0])["Session"]
    pool.cognito.admin_respond_to_auth_challenge(
        UserPoolId=pool.id,
        ClientId=pool.client,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=session,
        ChallengeResponses={"USERNAME": "ada", "NEW_PASSWORD": secrets[2]},
    )
    invented = pool.cognito.admin_create_user(UserPoolId=pool.id, Username="ben")["User"]["Attributes"][-1]["Value"]
    listed = str(pool.cognito.list_users(UserPoolId=pool.id)) + str(pool.cognito.describe_user_pool(UserPoolId=pool.id))
    assert "scrypt" not in listed and "_password" not in listed
    names = [event["EventName"] for event in server.client("cloudtrail").lookup_events(MaxResults=50)["Events"]]
    assert "AdminInitiateAuth" in names and "ListUsers" not in names
    server.stop()
    sqlite3.connect(server.state / "tobo.db").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(
        file.read_bytes()
        for file in Path(server.state).rglob("*")
        if file.is_file() and file.name != "credentials.json"
    )
    kept += server.log().encode()
    assert b"AdminCreateUser" in kept and b"scrypt$16384$8$5$" in kept
    for secret in (*secrets, session, invented):
        assert secret.encode() not in kept
