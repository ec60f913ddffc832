"""Work teams: who labels, in which team, and with which password they begin."""

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from tobo.console.lists import PAGE, addresses
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.console.work_teams import create_team, existing_pool, workforce_of
from tobo.kit.fault import Fault

MOST_SHOWN = 60
"""Members of a group that a team's row shows: a page of ListUsersInGroup."""

TEMPORARY = "tobo:temporary_password"
"""The attribute in which AdminCreateUser tells the password that it has invented."""


@shown("/labelling/teams")
def _list(visit: Visit) -> Response:
    """The teams with their members, and the people of the workforce's pool."""
    asked: dict[str, Any] = {"MaxResults": PAGE, "SortBy": "Name", "SortOrder": "Ascending"}
    if token := visit.query.get("token"):
        asked["NextToken"] = token
    found = visit.call("sagemaker", "ListWorkteams", **asked)
    workforce = workforce_of(visit)
    config = {} if workforce is None else workforce.get("CognitoConfig", {})
    people: Mapping[str, Any] = {"Users": []}
    if config and visit.may("cognito-idp", "ListUsers", UserPoolId=config["UserPool"]):
        more = {"PaginationToken": visit.query["people"]} if visit.query.get("people") else {}
        people = visit.call("cognito-idp", "ListUsers", UserPoolId=config["UserPool"], Limit=MOST_SHOWN, **more)
    return visit.page(
        "labelling/teams.html",
        teams=[{**team, "groups": _groups(visit, team)} for team in found["Workteams"]],
        workforce=workforce,
        people=people["Users"],
        more_people=people.get("PaginationToken"),
        next_token=found.get("NextToken"),
        pool=config.get("UserPool", ""),
        at=addresses(visit, "labelling", "teams"),
    )


@posted("/labelling/teams/create")
def _create(visit: Visit) -> Response:
    """With a group of its name; the first team makes pool, client and workforce, too."""
    fields = fields_of(visit.form)
    name = fields.get("team", "")
    if not name:
        raise Fault("ValidationException", "The team has no name yet; give one, such as marbles.")
    create_team(visit, name, fields.get("description", ""))
    return visit.done(url("labelling", "teams"), f"Team {name} was created. Nobody is in it yet.")


@posted("/labelling/teams/change")
def _change(visit: Visit) -> Response:
    """Who is in a team, and whether there is one."""
    fields = fields_of(visit.form)
    team, person, deed = fields.get("team", ""), fields.get("person", ""), fields.get("deed")
    if deed == "delete":
        visit.change("sagemaker", "DeleteWorkteam", WorkteamName=team)
        return visit.done(url("labelling", "teams"), f"Team {team} was removed. Its people can still sign in.")
    if not person:
        raise Fault("ValidationException", "Nobody is chosen yet; choose a person.")
    if deed == "remove":
        asked = {"UserPoolId": fields.get("pool", ""), "Username": person, "GroupName": fields.get("group", "")}
        visit.change("cognito-idp", "AdminRemoveUserFromGroup", **asked)
        return visit.done(url("labelling", "teams"), f"{person} is not in team {team} any more.")
    pool, group = _first_group(visit, team)
    visit.change("cognito-idp", "AdminAddUserToGroup", UserPoolId=pool, Username=person, GroupName=group)
    return visit.done(url("labelling", "teams"), f"{person} is in team {team}.")


@posted("/labelling/people/create")
def _create_person(visit: Visit) -> Response:
    """Answers with the temporary password itself, in the page: it is nowhere else."""
    fields = fields_of(visit.form)
    person, team = fields.get("person", ""), fields.get("team", "")
    if not person:
        raise Fault("ValidationException", "The person has no name yet; give one, such as ada.")
    pool, group = _first_group(visit, team) if team else (existing_pool(visit)["UserPool"], "")
    asked = {"UserPoolId": pool, "Username": person, "MessageAction": "SUPPRESS"}
    made = visit.change("cognito-idp", "AdminCreateUser", **asked)
    if group:
        visit.change("cognito-idp", "AdminAddUserToGroup", UserPoolId=pool, Username=person, GroupName=group)
    if visit.as_code:
        return visit.done("", "")
    told = {one["Name"]: one["Value"] for one in made["User"]["Attributes"]}
    return _secret(visit, person, told[TEMPORARY])


@posted("/labelling/people/change")
def _change_person(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    person, deed = fields.get("person", ""), fields.get("deed")
    asked = {"UserPoolId": fields.get("pool", ""), "Username": person}
    if deed == "password":
        password = f"{secrets.token_urlsafe(12)}-aB4"  # one of each class that a policy may ask for
        shown = "<a temporary password>" if visit.as_code else password
        visit.change("cognito-idp", "AdminSetUserPassword", **asked, Password=shown, Permanent=False)
        return visit.done("", "") if visit.as_code else _secret(visit, person, password)
    if deed == "delete":
        visit.change("cognito-idp", "AdminDeleteUser", **asked)
        return visit.done(url("labelling", "teams"), f"{person} was removed from all teams and cannot sign in.")
    may = deed == "enable"
    visit.change("cognito-idp", "AdminEnableUser" if may else "AdminDisableUser", **asked)
    return visit.done(url("labelling", "teams"), f"{person} {'may' if may else 'may not'} sign in.")


def _secret(visit: Visit, person: str, password: str) -> Response:
    values = {"person": person, "password": password, "url": url}
    return HTMLResponse(visit.rendering.page("labelling/secret.html", values), headers={"Cache-Control": "no-store"})


def _first_group(visit: Visit, team: str) -> tuple[str, str]:
    """Pool and group in which new members of a team are put. Raises Fault for a team of an OIDC provider's groups."""
    described = visit.quietly("sagemaker", "DescribeWorkteam", WorkteamName=team)["Workteam"]
    for definition in described["MemberDefinitions"]:
        if cognito := definition.get("CognitoMemberDefinition"):
            return cognito["UserPool"], cognito["UserGroup"]
    raise Fault("ValidationException", f"The members of team {team} are kept by its OIDC provider; add them there.")


def _groups(visit: Visit, team: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each group of a team with its members, [] where it is gone or nobody may look."""
    found: list[dict[str, Any]] = []
    for definition in team["MemberDefinitions"]:
        if cognito := definition.get("CognitoMemberDefinition"):
            pool, group = cognito["UserPool"], cognito["UserGroup"]
            asked = {"UserPoolId": pool, "GroupName": group, "Limit": MOST_SHOWN}
            shown = visit.attempt("cognito-idp", "ListUsersInGroup", **asked) or {"Users": []}
            found.append({"pool": pool, "name": group, "members": shown["Users"], "more": "NextToken" in shown})
        else:
            groups = definition.get("OidcMemberDefinition", {}).get("Groups", [])
            found += [{"pool": "", "name": group, "members": [], "more": False} for group in groups]
    return found


SCREENS: tuple[Screen, ...] = (_list, _create, _change, _create_person, _change_person)
