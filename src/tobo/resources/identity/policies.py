"""Policies of the account: iam CreatePolicy, GetPolicy, GetPolicyVersion, ListPolicies, DeletePolicy, and the simulation."""

from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.policy import Statement, decide, read_policy
from tobo.operations.registry import Asked, operation
from tobo.resources.identity import records
from tobo.resources.identity.keyring import root_of, source_row, statements_of
from tobo.resources.identity.managed_policies import MANAGED
from tobo.store.base import Query, Row

_ONLY_VERSION = "v1"


def _policy_arn(call: Call, asked: Asked) -> str:
    return asked.get("PolicyArn") or records.iam_arn(call, "policy", asked.get("Path"), asked.get("PolicyName", "*"))


def _row(call: Call, arn: str) -> Row:
    """Raises Fault NoSuchEntity."""
    row = call.context.store.get(records.key_of(call, "policy", arn.rsplit("/", 1)[-1]))
    if row is None or row.arn != arn:
        raise Fault("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    return row


def check_policy(call: Call, arn: str) -> None:
    """Raises Fault NoSuchEntity unless the ARN is of an AWS managed policy known here or of one of the account's."""
    if arn not in MANAGED:
        _row(call, arn)


def holders_of(call: Call, arn: str) -> list[Row]:
    """Roles and users to which the policy is attached."""
    found: list[Row] = []
    for kind in ("role", "user"):
        after = None
        while True:
            page = call.context.store.page(
                Query(Namespace(call.space.account, ""), kind, sort_by="Name", descending=False, after=after)
            )
            found += [row for row in page.rows if arn in row.found["Attached"]]
            after = page.after
            if after is None:
                break
    return found


def _described(call: Call, row: Row) -> dict[str, Any]:
    """The members of shape Policy."""
    return {
        "Path": "/",
        **row.asked,
        "PolicyId": row.found["PolicyId"],
        "Arn": row.arn,
        "DefaultVersionId": _ONLY_VERSION,
        "AttachmentCount": len(holders_of(call, row.arn)),
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": row.created,
        "UpdateDate": row.modified,
        "Tags": records.tag_list(row),
    }


def _aws_described(arn: str) -> dict[str, Any]:
    return {
        "Path": "/",
        "PolicyName": arn.rsplit("/", 1)[-1],
        "PolicyId": "ANPA" + arn.encode().hex()[-17:].upper(),
        "Arn": arn,
        "DefaultVersionId": _ONLY_VERSION,
        "IsAttachable": True,
    }


@operation("iam", "CreatePolicy", resource=_policy_arn)
def create_policy(call: Call, asked: Asked) -> Any:
    records.policy_text(asked["PolicyDocument"], "PolicyDocument")
    arn = records.iam_arn(call, "policy", asked.get("Path"), asked["PolicyName"])
    row = records.create(call, "policy", asked["PolicyName"], arn, asked, {"PolicyId": records.unique_id("ANPA")})
    return {"Policy": _described(call, row)}


@operation("iam", "GetPolicy", resource=_policy_arn)
def get_policy(call: Call, asked: Asked) -> Any:
    arn = asked["PolicyArn"]
    return {"Policy": _aws_described(arn) if arn in MANAGED else _described(call, _row(call, arn))}


@operation("iam", "GetPolicyVersion", resource=_policy_arn)
def get_policy_version(call: Call, asked: Asked) -> Any:
    """A policy has one version here; a changed one is a new policy."""
    arn = asked["PolicyArn"]
    if asked["VersionId"] != _ONLY_VERSION:
        raise Fault("NoSuchEntity", f"Policy {arn} version {asked['VersionId']} does not exist.", 404)
    version: dict[str, Any] = {"VersionId": _ONLY_VERSION, "IsDefaultVersion": True}
    if arn in MANAGED:
        version["Document"] = records.encoded(orjson.dumps(MANAGED[arn]).decode())
    else:
        row = _row(call, arn)
        version |= {"Document": records.encoded(row.asked["PolicyDocument"]), "CreateDate": row.created}
    return {"PolicyVersion": version}


@operation("iam", "ListPolicies", resource=_policy_arn)
def list_policies(call: Call, asked: Asked) -> Any:
    """Scope Local: the account's, AWS: those known here, All: both."""
    scope, prefix = asked.get("Scope", "All"), asked.get("PathPrefix", "/")
    found = [_aws_described(arn) for arn in sorted(MANAGED)] if scope in ("AWS", "All") else []
    if scope in ("Local", "All"):
        after = None
        while True:
            query = Query(Namespace(call.space.account, ""), "policy", sort_by="Name", descending=False, after=after)
            page = call.context.store.page(query)
            found += [_described(call, row) for row in page.rows]
            after = page.after
            if after is None:
                break
    if asked.get("OnlyAttached"):
        found = [policy for policy in found if holders_of(call, policy["Arn"])]
    return records.cut([policy for policy in found if policy["Path"].startswith(prefix)], asked, "Policies")


@operation("iam", "DeletePolicy", resource=_policy_arn)
def delete_policy(call: Call, asked: Asked) -> Any:
    arn = asked["PolicyArn"]

    def refuse(row: Row) -> None:
        if holders_of(call, arn):
            raise Fault("DeleteConflict", "Cannot delete a policy attached to entities.", 409)

    records.remove(call, lambda: _row(call, arn), refuse)
    return {}


@operation("iam", "SimulatePrincipalPolicy", resource=lambda call, asked: asked["PolicySourceArn"])
def simulate_principal_policy(call: Call, asked: Asked) -> Any:
    """What `decide` would say to the source, the same `decide` that requests meet; conditions are not simulated."""
    source = asked["PolicySourceArn"]
    statements: tuple[Statement, ...]
    if source == root_of(call.context).arn:
        statements = (Statement("Allow", ("*",)),)
    else:
        row = source_row(call.context.store, call.space.account, source)
        if row is None or row.arn != source:
            raise Fault("NoSuchEntity", f"The role or user {source} cannot be found.", 404)
        statements = statements_of(call.context.store, call.space.account, row)
    for text in asked.get("PolicyInputList", ()):
        document: Mapping[str, Any] = orjson.loads(records.policy_text(text, "PolicyInputList"))
        statements += read_policy(document)
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": decide(statements, action, resource),
            "MatchedStatements": [],
            "MissingContextValues": [],
        }
        for action in asked["ActionNames"]
        for resource in asked.get("ResourceArns") or ["*"]
    ]
    return records.cut(results, asked, "EvaluationResults")
