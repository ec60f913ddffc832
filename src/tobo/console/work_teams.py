"""The console's hand at work teams: the region's workforce, its pool, and a team that is made with its group."""

from collections.abc import Mapping
from typing import Any

from tobo.console.visit import Visit
from tobo.kit.arn import Arn
from tobo.kit.fault import Fault

TO_COME = "<UserPoolId>", "<ClientId>"
"""What stands in the code of calls that need what an earlier one answers."""


def create_team(visit: Visit, name: str, description: str = "") -> str:
    """The ARN of a team with a group of its name; the first team makes pool, client and workforce, too. Raises Faults."""
    config = existing_pool(visit)
    try:
        visit.change("cognito-idp", "CreateGroup", UserPoolId=config["UserPool"], GroupName=name)
    except Fault as fault:
        if fault.code != "GroupExistsException":
            raise  # a team that was removed has left it
    definition = {"CognitoMemberDefinition": {**config, "UserGroup": name}}
    described = description or f"The people of {name}."
    visit.change(
        "sagemaker", "CreateWorkteam", WorkteamName=name, Description=described, MemberDefinitions=[definition]
    )
    return team_arn(visit, name)


def team_arn(visit: Visit, name: str) -> str:
    """Of a private team; one that is only to come has it, too."""
    return str(Arn("sagemaker", visit.region, visit.principal.account, f"workteam/private-crowd/{name}"))


def workforce_of(visit: Visit) -> Mapping[str, Any] | None:
    """The region's one; None where there is none, or the key may not look."""
    if not visit.may("sagemaker", "ListWorkforces"):
        return None
    found = visit.quietly("sagemaker", "ListWorkforces")["Workforces"]
    return found[0] if found else None


def existing_pool(visit: Visit) -> dict[str, str]:
    """UserPool and ClientId of the workforce; made where there is none. Raises Fault where its people are kept elsewhere."""
    workforce = workforce_of(visit)
    if workforce is not None:
        if "CognitoConfig" not in workforce:
            raise Fault(
                "ValidationException",
                f"The people of workforce {workforce['WorkforceName']} are kept by its OIDC provider; create them there.",
            )
        return dict(workforce["CognitoConfig"])
    made = visit.change("cognito-idp", "CreateUserPool", PoolName="workers")
    pool = made["UserPool"]["Id"] if made else TO_COME[0]
    made = visit.change("cognito-idp", "CreateUserPoolClient", UserPoolId=pool, ClientName="labelling")
    return {"UserPool": pool, "ClientId": made["UserPoolClient"]["ClientId"] if made else TO_COME[1]}
