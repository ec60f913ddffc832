"""Signing in: AdminInitiateAuth with ADMIN_USER_PASSWORD_AUTH, and the change of a temporary password.

Source: Amazon Cognito user pools API Reference, AdminInitiateAuth, AdminRespondToAuthChallenge. The tokens of the answer are
opaque, and nothing here takes them: that there is one says that user and password are right.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.auditing import HOUSE
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.user_pools import passwords, records
from tobo.resources.user_pools.clients import client_row
from tobo.resources.user_pools.users import CONFIRMED, FORCED
from tobo.store.base import Row

FLOWS = {
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ADMIN_NO_SRP_AUTH",
}
"""What is built, and what a client's ExplicitAuthFlows must name for it."""

DAY, MINUTE, TOKEN_SECONDS = 86_400, 60, 3600


@operation("cognito-idp", "AdminInitiateAuth", resource=records.asked_arn)
def admin_initiate_auth(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """AuthenticationResult, or the challenge NEW_PASSWORD_REQUIRED for a temporary password.

    Raises Fault NotAuthorizedException, UserNotFoundException, TooManyRequestsException (locked out). For the house itself
    it is the pool's own sign-in page, which no client's flows and secret are about.
    """
    pool, client = records.pool_row(call, asked["UserPoolId"]), client_row(call, asked)
    given = asked.get("AuthParameters", {})
    name, password = given.get("USERNAME", ""), given.get("PASSWORD", "")
    if call.principal.arn != HOUSE:
        _check_flow(client, asked["AuthFlow"])
        _check_secret(client, name, given.get("SECRET_HASH", ""))
    if not name or not password:
        raise Fault("InvalidParameterException", "AuthParameters needs USERNAME and PASSWORD; give both.")
    user = {"UserPoolId": asked["UserPoolId"], "Username": name}
    if records.find(call, records.USER, asked["UserPoolId"], records.user_name(pool, name)) is None:
        passwords.fits(password, "")
        if client.asked.get("PreventUserExistenceErrors") == "ENABLED":
            raise _wrong()
        raise Fault("UserNotFoundException", "User does not exist.")
    _count_attempt(call, user)
    row = records.user_row(call, user)
    if not passwords.fits(password, row.found["_password"]):
        raise _wrong()
    if not row.found["Enabled"]:
        raise Fault("NotAuthorizedException", "User is disabled; an administrator enables it.")
    if row.found["UserStatus"] == FORCED:
        return _challenge(call, pool, client, user, row)
    _passed(call, user, row, {})
    return _result()


@operation("cognito-idp", "AdminRespondToAuthChallenge", resource=records.asked_arn)
def admin_respond_to_auth_challenge(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """NEW_PASSWORD_REQUIRED: the temporary password's own session and a password of one's own, which counts from now on.

    Raises Fault NotAuthorizedException for a session that is over or of somebody else; InvalidPasswordException, after which
    the session is good for another try.
    """
    pool, client = records.pool_row(call, asked["UserPoolId"]), client_row(call, asked)
    if asked["ChallengeName"] != "NEW_PASSWORD_REQUIRED":
        raise Fault(
            "InvalidParameterException",
            f"The challenge {asked['ChallengeName']} is not built in tobo, which asks for NEW_PASSWORD_REQUIRED alone.",
        )
    given = asked.get("ChallengeResponses", {})
    name, password = given.get("USERNAME", ""), given.get("NEW_PASSWORD", "")
    if not name or not password:
        raise Fault("InvalidParameterException", "ChallengeResponses needs USERNAME and NEW_PASSWORD; give both.")
    if call.principal.arn != HOUSE:
        _check_secret(client, name, given.get("SECRET_HASH", ""))
    row = records.find(call, records.USER, asked["UserPoolId"], records.user_name(pool, name))
    challenge = None if row is None else row.found.get("_challenge")
    mark = _mark(client, asked.get("Session", ""))
    if row is None or not challenge or not hmac.compare_digest(challenge["mark"], mark) or call.now > challenge["ends"]:
        raise Fault(
            "NotAuthorizedException", "Invalid session for the user; sign in with the temporary password again."
        )
    passwords.check(password, passwords.policy_of(pool.asked))
    if passwords.fits(password, row.found["_password"]):
        raise Fault("InvalidPasswordException", "The new password is the temporary one; choose a password of your own.")
    user = {"UserPoolId": asked["UserPoolId"], "Username": name}
    _passed(call, user, row, {"_password": passwords.sealed(password), "UserStatus": CONFIRMED})
    return _result()


def _check_flow(client: Row, flow: str) -> None:
    if flow not in FLOWS:
        raise Fault(
            "InvalidParameterException",
            f"AuthFlow {flow} is not built in tobo; use ADMIN_USER_PASSWORD_AUTH.",
        )
    if not {FLOWS[flow], "ADMIN_NO_SRP_AUTH"} & set(client.asked.get("ExplicitAuthFlows", ())):
        raise Fault(
            "InvalidParameterException",
            f"Auth flow not enabled for this client; give it {FLOWS[flow]} in ExplicitAuthFlows.",
        )


def _check_secret(client: Row, name: str, given: str) -> None:
    """SECRET_HASH: Base64 of HMAC-SHA-256 of user and client under the client's secret (Cognito Developer Guide)."""
    secret = client.found.get("ClientSecret")
    if secret is None:
        return
    client_id = client.key.name.split(" ")[1]
    wanted = base64.b64encode(hmac.digest(secret.encode(), (name + client_id).encode(), "sha256"))
    if not hmac.compare_digest(wanted, given.encode()):
        raise Fault("NotAuthorizedException", f"Unable to verify secret hash for client {client_id}.")


def _count_attempt(call: Call, user: Mapping[str, Any]) -> None:
    """Counted before the password is looked at: a hundred guesses at once are a hundred guesses."""

    def counted(row: Row) -> Mapping[str, Any]:
        wait = row.found["_locked"] - call.now
        if wait > 0:
            raise Fault(
                "TooManyRequestsException",
                "Password attempts exceeded; wait a while, or let an administrator set a new password.",
                retry_after=int(wait) + 1,
            )
        failures = row.found["_failures"] + 1
        return {"_failures": failures, "_locked": call.now + passwords.lock_seconds(failures)}

    records.change(call, lambda: records.user_row(call, user), counted)


def _passed(call: Call, user: Mapping[str, Any], checked: Row, more: Mapping[str, Any]) -> None:
    """Forgets wrong attempts, unless the password that was checked is not the user's any more, or the user was disabled."""

    def cleared(row: Row) -> Mapping[str, Any]:
        if row.found["_password"] != checked.found["_password"] or not row.found["Enabled"]:
            raise _wrong()
        return {"_failures": 0, "_locked": 0.0, "_challenge": None, **more}

    records.change(call, lambda: records.user_row(call, user), cleared)


def _challenge(call: Call, pool: Row, client: Row, user: Mapping[str, Any], row: Row) -> dict[str, Any]:
    days = passwords.policy_of(pool.asked)["TemporaryPasswordValidityDays"] or 7
    if call.now > row.found["_given"] + days * DAY:
        raise Fault("NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.")
    session = secrets.token_urlsafe(64)
    ends = call.now + client.asked.get("AuthSessionValidity", 3) * MINUTE
    mark = {"mark": _mark(client, session), "ends": ends}
    _passed(call, user, row, {"_challenge": mark})
    attributes = {one["Name"]: one["Value"] for one in row.found["Attributes"] if one["Name"] != "sub"}
    return {
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": session,
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": row.asked["Username"],
            "requiredAttributes": "[]",
            "userAttributes": orjson.dumps(attributes).decode(),
        },
    }


def _mark(client: Row, session: str) -> str:
    """What is kept of a session: enough to know it again, with the client that it was given to."""
    return hashlib.sha256(f"{client.key.name} {session}".encode()).hexdigest()


def _wrong() -> Fault:
    return Fault("NotAuthorizedException", "Incorrect username or password.")


def _result() -> dict[str, Any]:
    token = {name: secrets.token_urlsafe(48) for name in ("AccessToken", "IdToken", "RefreshToken")}
    return {
        "ChallengeParameters": {},
        "AuthenticationResult": {**token, "ExpiresIn": TOKEN_SECONDS, "TokenType": "Bearer"},
    }
