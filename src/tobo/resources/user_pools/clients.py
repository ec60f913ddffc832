"""The operations on a pool's clients: the programs at which its people sign in."""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.user_pools import records
from tobo.store.base import Query, Row

_LETTERS = string.ascii_lowercase + string.digits


@operation("cognito-idp", "CreateUserPoolClient", resource=records.asked_arn)
def create_user_pool_client(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException, InvalidParameterException."""
    records.pool_row(call, asked["UserPoolId"])
    if asked.get("GenerateSecret") and asked.get("ClientSecret"):
        raise Fault(
            "InvalidParameterException", "GenerateSecret and ClientSecret exclude each other; give one of them."
        )
    client = _drawn(26)
    secret = asked.get("ClientSecret") or (_drawn(51) if asked.get("GenerateSecret") else None)
    kept = {name: value for name, value in asked.items() if name not in ("ClientSecret", "GenerateSecret")}
    taken = Fault("InternalErrorException", f"The id {client} was drawn twice; try again.", 500)
    key = records.key_of(call, records.CLIENT, asked["UserPoolId"], client)
    row = records.insert(call, key, kept, taken, {"ClientSecret": secret} if secret else {})
    return {"UserPoolClient": _described(row)}


@operation("cognito-idp", "DescribeUserPoolClient", resource=records.asked_arn)
def describe_user_pool_client(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With its secret, as in AWS: it is the program's, no person's."""
    return {"UserPoolClient": _described(client_row(call, asked))}


@operation("cognito-idp", "ListUserPoolClients", resource=records.asked_arn)
def list_user_pool_clients(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their ids."""
    records.pool_row(call, asked["UserPoolId"])
    query = Query(call.space, records.CLIENT, name_prefix=f"{asked['UserPoolId']} ")
    return records.listed(call, query, asked, "UserPoolClients", _summary, "NextToken", "MaxResults")


@operation("cognito-idp", "DeleteUserPoolClient", resource=records.asked_arn)
def delete_user_pool_client(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    records.remove(call, lambda: client_row(call, asked))
    return {}


def client_row(call: Call, asked: Mapping[str, Any]) -> Row:
    """Of UserPoolId and ClientId; raises Fault ResourceNotFoundException for either."""
    records.pool_row(call, asked["UserPoolId"])
    row = records.find(call, records.CLIENT, asked["UserPoolId"], asked["ClientId"])
    if row is None:
        raise Fault("ResourceNotFoundException", f"User pool client {asked['ClientId']} does not exist.")
    return row


def _described(row: Row) -> dict[str, Any]:
    return {
        "RefreshTokenValidity": 30,
        "AuthSessionValidity": 3,
        **row.asked,
        **row.found,
        **_summary(row),
        "CreationDate": row.created,
        "LastModifiedDate": row.modified,
    }


def _summary(row: Row) -> dict[str, Any]:
    pool, client = row.key.name.split(" ")
    return {"UserPoolId": pool, "ClientId": client, "ClientName": row.asked["ClientName"]}


def _drawn(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
