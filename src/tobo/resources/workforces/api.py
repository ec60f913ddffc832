"""The operations on workforces. Source: API reference, Create/Describe/List/Update/DeleteWorkforce."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, remove_row, rows_of
from tobo.operations.workers import OIDC_SECRET, WORKFORCE, worker_page
from tobo.store.base import Row

KIND = WORKFORCE

MOST_CIDRS = 10
"""API reference, SourceIpConfig."""

_SORTS = {"Name": "Name", "CreateDate": "CreationTime"}


@operation("sagemaker", "CreateWorkforce")
def create_workforce(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One a region, as in AWS. Raises Fault ResourceInUse, ResourceLimitExceeded, ValidationException."""
    if ("CognitoConfig" in asked) == ("OidcConfig" in asked):
        raise validation("A workforce needs either a CognitoConfig or an OidcConfig; give one of them.")
    _check(asked)
    if "CognitoConfig" in asked:
        _check_client(call, asked["CognitoConfig"])
    for row in rows_of(call.context.store, call.space, KIND):
        if row.key.name != asked["WorkforceName"]:
            raise _second(row)
    public, hidden = _parted(asked)
    row = add_row(call, KIND, asked["WorkforceName"], public, _taken, state="Active", found=hidden)
    older = next((other for other in rows_of(call.context.store, call.space, KIND) if other.id < row.id), None)
    if older is not None:  # of two that are made at once under different names the first stays
        remove_row(call, KIND, row.key.name, _missing)
        raise _second(older)
    return {"WorkforceArn": row.arn}


@operation("sagemaker", "DescribeWorkforce")
def describe_workforce(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Never with the OidcConfig's secret."""
    return {"Workforce": _described(call, _known(call, asked))}


@operation("sagemaker", "ListWorkforces")
def list_workforces(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The region's one, if there is one."""
    sorted_by = {**asked, "SortBy": _SORTS[asked.get("SortBy", "CreateDate")]}
    return list_rows(call, KIND, sorted_by, "Workforces", lambda row: _described(call, row))


@operation("sagemaker", "UpdateWorkforce")
def update_workforce(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is not given stays. Raises Fault ConflictException while work teams hang on an OidcConfig that shall change."""
    row = _known(call, asked)
    _check(asked)
    if "OidcConfig" in asked:
        if "OidcConfig" not in row.asked:
            raise validation(
                f"The workforce '{row.key.name}' signs in with Cognito; delete it and create one with an OidcConfig."
            )
        if _has_teams(call):
            raise Fault(
                "ConflictException",
                f"The workforce '{row.key.name}' has work teams; delete them before its OidcConfig changes.",
            )
    public, hidden = _parted({name: value for name, value in asked.items() if name != "WorkforceName"})
    row = change_row(
        call,
        lambda: _known(call, asked),
        "updated",
        lambda row: {"asked": {**row.asked, **public}, "found": {**row.found, **hidden}},
    )
    return {"Workforce": _described(call, row)}


@operation("sagemaker", "DeleteWorkforce")
def delete_workforce(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its user pool stays. Raises Fault ResourceInUse while there are work teams."""
    row = _known(call, asked)
    if _has_teams(call):
        raise Fault("ResourceInUse", f"The workforce '{row.key.name}' has work teams; delete them first.")
    remove_row(call, KIND, row.key.name, _missing)
    return {}


def _check(asked: Mapping[str, Any]) -> None:
    """What both Create and Update take. Raises Fault ValidationException."""
    if asked.get("WorkforceVpcConfig"):
        raise validation("WorkforceVpcConfig names a VPC, and there is none here; use SourceIpConfig instead.")
    blocks = asked.get("SourceIpConfig", {}).get("Cidrs", [])
    if len(blocks) > MOST_CIDRS:
        raise validation(f"SourceIpConfig.Cidrs has {len(blocks)} blocks; it may have at most {MOST_CIDRS}.")
    for block in blocks:
        try:
            ip_network(block, strict=False)
        except ValueError:
            raise validation(
                f"'{block}' at SourceIpConfig.Cidrs is no block of addresses; write it as 192.168.0.0/24 or fd00::/8."
            ) from None


def _check_client(call: Call, config: Mapping[str, Any]) -> None:
    """The pool and its client exist in this region. Raises Fault ValidationException, or that the caller may not look."""
    try:
        call.call("cognito-idp", "DescribeUserPoolClient", UserPoolId=config["UserPool"], ClientId=config["ClientId"])
    except Fault as fault:
        if fault.code not in ("ResourceNotFoundException", "InvalidParameterException"):
            raise
        raise validation(f"CognitoConfig: {fault.message} Create it in {call.space.region} first.") from None


def _parted(asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a Describe shows of a request, and what it does not: the secret of the OidcConfig."""
    public = dict(asked)
    oidc = dict(public.get("OidcConfig", {}))
    secret = oidc.pop("ClientSecret", None)
    if secret is None:
        return public, {}
    return {**public, "OidcConfig": oidc}, {OIDC_SECRET: secret}


def _has_teams(call: Call) -> bool:
    """All teams of a region are its one workforce's."""
    return bool(call.context.as_house(call.space, "sagemaker", "ListWorkteams", MaxResults=1)["Workteams"])


def _known(call: Call, asked: Mapping[str, Any]) -> Row:
    return known_row(call, KIND, asked["WorkforceName"], _missing)


def _described(call: Call, row: Row) -> dict[str, Any]:
    return {
        "SourceIpConfig": {"Cidrs": []},
        **row.asked,
        "WorkforceName": row.key.name,
        "WorkforceArn": row.arn,
        "SubDomain": worker_page(call.context.settings),
        "CreateDate": row.created,
        "LastUpdatedDate": row.modified,
        "Status": "Active",
    }


def _second(row: Row) -> Fault:
    return Fault(
        "ResourceLimitExceeded",
        f"There is one workforce a region, and this one has '{row.key.name}'; use it, or delete it first.",
    )


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"A workforce of this name exists ({arn}); update it.")


def _missing(arn: str) -> Fault:
    return validation(f"There is no workforce '{arn.rsplit('/', 1)[-1]}'; create it first.")
