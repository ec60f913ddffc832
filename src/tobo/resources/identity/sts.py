"""STS: who am I, and temporary credentials of a role.

The house itself asks AssumeRole for a job through `Context.call` with a principal whose ARN is an AWS service's name
("sagemaker.amazonaws.com", which no signature can give): its sessions last as long as a job may, and a role that does not
exist here (a script written for another account) stands for the account's execution role.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import Arn, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.identity.keyring import EXECUTION_ROLE, source_row
from tobo.resources.identity.records import key_of, policy_text
from tobo.resources.identity.session_tokens import Minted, mint
from tobo.store.base import Row

LONGEST_JOB = 28 * 86_400
"""Seconds: SageMaker's longest MaxRuntimeInSeconds."""


def _any_resource(call: Call, asked: Asked) -> str:
    return "*"


@operation("sts", "GetCallerIdentity", resource=_any_resource)
def get_caller_identity(call: Call, asked: Asked) -> Any:
    """The root answers as a session of the execution role.

    The SageMaker SDKs' get_execution_role() refuses every identity that is not a role's; on a machine of one's own, where
    the root key is the everyday key, it shall work without a change of the script.
    """
    principal = call.principal
    arn, user_id = principal.arn, principal.user_id
    if arn == str(Arn("iam", "", principal.account, "root")):
        role = call.context.store.get(key_of(call, "role", EXECUTION_ROLE))
        if role is not None:
            arn = str(Arn("sts", "", principal.account, f"assumed-role/{EXECUTION_ROLE}/root"))
            user_id = f"{role.found['RoleId']}:root"
    return {"Account": principal.account, "Arn": arn, "UserId": user_id}


@operation("sts", "AssumeRole", resource=lambda call, asked: asked["RoleArn"])
def assume_role(call: Call, asked: Asked) -> Any:
    """Raises Fault AccessDenied unless the role is there and trusts the caller; MalformedPolicyDocument.

    A Policy limits the session: it may do what both the role and the policy allow.
    """
    if asked.get("PolicyArns"):
        raise Fault("PackedPolicyTooLarge", "PolicyArns are not built in tobo; put the statements into Policy itself.")
    policy = policy_text(asked["Policy"], "Policy") if asked.get("Policy") else ""
    service = _is_service(call)
    role = source_row(call.context.store, call.space.account, asked["RoleArn"])
    if role is None and service:
        role = call.context.store.get(key_of(call, "role", EXECUTION_ROLE))
    if role is None or not (service or _trusts(role, call)):
        raise Fault(
            "AccessDenied",
            f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {asked['RoleArn']}; "
            "the role must exist and its trust policy must name the caller.",
            403,
        )
    longest = LONGEST_JOB if service else role.asked.get("MaxSessionDuration", 3600)
    seconds = asked.get("DurationSeconds") or (longest if service else 3600)
    if seconds > longest:
        raise Fault(
            "ValidationError",
            f"DurationSeconds {seconds} exceeds the MaxSessionDuration {longest} set for this role.",
        )
    name = asked["RoleSessionName"]
    minted = mint(_root_secret(call), call.space.account, role.arn, name, call.now + seconds, policy)
    return {
        "Credentials": _credentials(minted),
        "AssumedRoleUser": {
            "AssumedRoleId": f"{role.found['RoleId']}:{name}",
            "Arn": str(Arn("sts", "", call.space.account, f"assumed-role/{role.key.name}/{name}")),
        },
    }


@operation("sts", "GetSessionToken", resource=_any_resource)
def get_session_token(call: Call, asked: Asked) -> Any:
    """Temporary credentials of the caller itself; a session cannot ask for another one."""
    if call.principal.access_key_id.startswith("ASIA"):
        raise Fault("AccessDenied", "Cannot call GetSessionToken with session credentials.", 403)
    seconds = asked.get("DurationSeconds") or 43_200
    minted = mint(_root_secret(call), call.space.account, call.principal.arn, "", call.now + seconds)
    return {"Credentials": _credentials(minted)}


def _is_service(call: Call) -> bool:
    return call.principal.arn.endswith(".amazonaws.com")


def _root_secret(call: Call) -> str:
    return call.context.settings.root_secret_access_key or ""


def _credentials(minted: Minted) -> Mapping[str, Any]:
    return {
        "AccessKeyId": minted.access_key_id,
        "SecretAccessKey": minted.secret_access_key,
        "SessionToken": minted.token,
        "Expiration": minted.expires,
    }


def _trusts(role: Row, call: Call) -> bool:
    """Whether the role's trust policy names the caller, its account or everybody, and no Deny does."""
    account = call.space.account
    named = {"*", account, str(Arn("iam", "", account, "root")), call.principal.arn}
    if ":assumed-role/" in call.principal.arn:
        source = key_of(call, "role", parse_arn(call.principal.arn).resource.split("/")[1])
        row = call.context.store.get(source)
        named |= {row.arn} if row is not None else set()
    trusted = False
    statements = orjson.loads(role.asked["AssumeRolePolicyDocument"])["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Condition") or not named & _principals(statement) or not _is_about_assuming(statement):
            continue
        if statement["Effect"] == "Deny":
            return False
        trusted = True
    return trusted


def _principals(statement: Mapping[str, Any]) -> set[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return {principal}
    named = principal.get("AWS", []) if isinstance(principal, dict) else []
    return {named} if isinstance(named, str) else set(named)


def _is_about_assuming(statement: Mapping[str, Any]) -> bool:
    actions = statement.get("Action", [])
    return bool({"sts:AssumeRole", "sts:*", "*"} & set([actions] if isinstance(actions, str) else actions))
