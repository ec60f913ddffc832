"""The operations on work teams. Source: API reference, Create/Describe/List/Update/DeleteWorkteam."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.arn import Arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, remove_row, rows_of
from tobo.operations.workers import worker_page
from tobo.store.base import Key, Row

KIND = "workteam"

DEFAULT_WORKFORCE = "default"
"""What AWS calls the workforce that it makes for the first team."""

_SORTS = {"Name": "Name", "CreateDate": "CreationTime"}
_CHANGEABLE = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")


@operation("sagemaker", "CreateWorkteam")
def create_workteam(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Without a WorkforceName the region's workforce is meant; where there is none, the first CognitoMemberDefinition makes it.

    Raises Fault ResourceInUse, ValidationException.
    """
    name = asked["WorkteamName"]
    known = _workforce(call, asked.get("WorkforceName"))
    _check_members(call, asked["MemberDefinitions"], known)
    if call.context.store.get(Key(call.space, KIND, name)) is not None:
        raise _taken(_arn(call, name))
    workforce = known or _made_workforce(call, asked["MemberDefinitions"][0])
    kept = {member: value for member, value in asked.items() if member != "WorkforceName"}
    found = {"WorkforceArn": workforce["WorkforceArn"]}
    row = add_row(call, KIND, name, kept, _taken, state="Active", found=found, arn=_arn(call, name))
    return {"WorkteamArn": row.arn}


@operation("sagemaker", "DescribeWorkteam")
def describe_workteam(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return {"Workteam": _described(call, known_row(call, KIND, asked["WorkteamName"], _missing))}


@operation("sagemaker", "ListWorkteams")
def list_workteams(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    sorted_by = {**asked, "SortBy": _SORTS[asked.get("SortBy", "CreateDate")]}
    return list_rows(call, KIND, sorted_by, "Workteams", lambda row: _described(call, row))


@operation("sagemaker", "UpdateWorkteam")
def update_workteam(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is not given stays; MemberDefinitions replace those that were. Raises Fault ValidationException."""
    name = asked["WorkteamName"]
    row = known_row(call, KIND, name, _missing)
    changes = {member: asked[member] for member in _CHANGEABLE if member in asked}
    if "MemberDefinitions" in changes:
        _check_members(
            call, changes["MemberDefinitions"], _workforce(call, row.found["WorkforceArn"].rsplit("/", 1)[-1])
        )
    row = change_row(
        call,
        lambda: known_row(call, KIND, name, _missing),
        "updated",
        lambda row: {"asked": {**row.asked, **changes}},
    )
    return {"Workteam": _described(call, row)}


@operation("sagemaker", "DeleteWorkteam")
def delete_workteam(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its groups and their people stay in the pool. Raises Fault ResourceInUse while a labelling job or a flow definition asks it."""
    row = known_row(call, KIND, asked["WorkteamName"], _missing)
    if (job := _job_of(call, row.arn)) is not None:
        raise Fault(
            "ResourceInUse",
            f"The work team '{row.key.name}' works at the labelling job '{job}'; stop it, or wait until it has ended.",
        )
    for flow in rows_of(call.context.store, call.space, "flow-definition"):
        if flow.asked["HumanLoopConfig"]["WorkteamArn"] == row.arn:
            raise Fault(
                "ResourceInUse",
                f"The work team '{row.key.name}' answers for the flow definition '{flow.key.name}'; delete that first.",
            )
    remove_row(call, KIND, row.key.name, _missing)
    return {"Success": True}


def _job_of(call: Call, team: str) -> str | None:
    """A labelling job that goes on and asks this team; None where there is none."""
    for status in ("Initializing", "InProgress", "Stopping"):
        asked: dict[str, Any] = {"StatusEquals": status, "MaxResults": 100}
        while True:
            found = call.context.as_house(call.space, "sagemaker", "ListLabelingJobs", **asked)
            for job in found["LabelingJobSummaryList"]:
                if job["WorkteamArn"] == team:
                    return str(job["LabelingJobName"])
            if "NextToken" not in found:
                break
            asked["NextToken"] = found["NextToken"]
    return None


def _workforce(call: Call, name: str | None) -> Mapping[str, Any] | None:
    """The one that is named, or the region's; None where neither is. Raises Fault ValidationException for an unknown name."""
    found: list[Mapping[str, Any]] = call.context.as_house(call.space, "sagemaker", "ListWorkforces")["Workforces"]
    known = found[0] if found else None
    if name is not None and (known is None or known["WorkforceName"].lower() != name.lower()):
        raise validation(
            f"There is no workforce '{name}' in {call.space.region}; create it, or leave WorkforceName out."
        )
    return known


def _made_workforce(call: Call, definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The default one, of a team's pool and client; somebody else's, who was quicker."""
    cognito = definition["CognitoMemberDefinition"]
    config = {"UserPool": cognito["UserPool"], "ClientId": cognito["ClientId"]}
    try:
        call.call("sagemaker", "CreateWorkforce", WorkforceName=DEFAULT_WORKFORCE, CognitoConfig=config)
    except Fault as fault:
        if fault.code not in ("ResourceInUse", "ResourceLimitExceeded"):
            raise
    made = _workforce(call, None)
    if made is None or made.get("CognitoConfig") != config:
        raise validation("The region has got another workforce meanwhile; ask again.")
    return made


def _check_members(call: Call, definitions: Sequence[Mapping[str, Any]], workforce: Mapping[str, Any] | None) -> None:
    """Each names groups that exist, in the way of its workforce. Raises Fault ValidationException."""
    pools: set[tuple[str, str]] = set()
    for place, definition in enumerate(definitions, 1):
        where = f"MemberDefinitions.{place}"
        cognito, oidc = definition.get("CognitoMemberDefinition"), definition.get("OidcMemberDefinition")
        if (cognito is None) == (oidc is None):
            raise validation(f"{where} needs either a CognitoMemberDefinition or an OidcMemberDefinition.")
        if cognito is not None:
            pools.add((cognito["UserPool"], cognito["ClientId"]))
            _check_cognito(call, where, cognito, workforce)
        elif workforce is None or "OidcConfig" not in workforce:
            raise validation(f"{where} names OIDC groups; create a workforce with an OidcConfig for them first.")
        elif not oidc or not oidc.get("Groups"):
            raise validation(f"{where} names no OIDC group; give one in OidcMemberDefinition.Groups.")
    if len(pools) > 1:
        raise validation("MemberDefinitions name several user pools or clients; a workforce has one of them.")


def _check_cognito(call: Call, where: str, cognito: Mapping[str, Any], workforce: Mapping[str, Any] | None) -> None:
    mine = {"UserPool": cognito["UserPool"], "ClientId": cognito["ClientId"]}
    if workforce is not None and workforce.get("CognitoConfig") != mine:
        its = workforce.get("CognitoConfig")
        raise validation(
            f"{where} is of the pool {mine['UserPool']} and client {mine['ClientId']}; the workforce "
            f"'{workforce['WorkforceName']}' has "
            + (f"{its['UserPool']} and {its['ClientId']}; name those." if its else "an OidcConfig; name OIDC groups.")
        )
    try:
        call.call("cognito-idp", "GetGroup", UserPoolId=cognito["UserPool"], GroupName=cognito["UserGroup"])
    except Fault as fault:
        if fault.code not in ("ResourceNotFoundException", "InvalidParameterException"):
            raise
        raise validation(f"{where}: {fault.message}") from None


def _arn(call: Call, name: str) -> str:
    """AWS's form for private teams."""
    return str(Arn("sagemaker", call.space.region, call.space.account, f"workteam/private-crowd/{name}"))


def _described(call: Call, row: Row) -> dict[str, Any]:
    return {
        "NotificationConfiguration": {},
        **row.asked,
        "WorkforceArn": row.found["WorkforceArn"],
        "WorkteamName": row.key.name,
        "WorkteamArn": row.arn,
        "SubDomain": worker_page(call.context.settings),
        "CreateDate": row.created,
        "LastUpdatedDate": row.modified,
    }


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"A work team of this name exists ({arn}); update it or choose another name.")


def _missing(arn: str) -> Fault:
    return validation(f"There is no work team '{arn.rsplit('/', 1)[-1]}'; create it first.")
