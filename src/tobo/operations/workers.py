"""Workers: who is in a work team, which teams a person is in, and from where they may work; asked by the one door."""

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Context
from tobo.settings import Settings
from tobo.store.base import Key

WORKFORCE, OIDC_SECRET = "workforce", "_oidc_secret"
"""The kind of a workforce's row, and where the row keeps the client's secret."""

WORK = "/_tobo/console/work"
"""The path of the page at which people label."""


def worker_page(settings: Settings) -> str:
    """SubDomain of workforces and teams: host, port and path, without a scheme, as AWS gives it."""
    return f"{settings.reached(settings.port)}{WORK}"


def check_team(context: Context, space: Namespace, arn: str, member: str) -> None:
    """`arn` is that of a work team of this region; `member` of the request names it. Raises Fault ValidationException."""
    try:
        asked = {"WorkteamName": arn.rsplit("/", 1)[-1]}
        known = context.as_house(space, "sagemaker", "DescribeWorkteam", **asked)["Workteam"]["WorkteamArn"]
    except Fault:
        known = None
    if known != arn:
        raise validation(f"{member}: there is no work team '{arn}' in {space.region}; create it with CreateWorkteam.")


def teams_of(context: Context, space: Namespace, pool: str, user: str) -> list[Mapping[str, Any]]:
    """The work teams (shape Workteam) that a user of a pool is in, by their names. Raises the Faults of
    AdminListGroupsForUser: UserNotFoundException, ResourceNotFoundException."""
    groups = {
        group["GroupName"]
        for group in _all(
            context, space, "cognito-idp", "AdminListGroupsForUser", "Groups", UserPoolId=pool, Username=user
        )
    }
    teams = _all(context, space, "sagemaker", "ListWorkteams", "Workteams", SortBy="Name", SortOrder="Ascending")
    return [
        team
        for team in teams
        if any(of == pool and group in groups for of, group in groups_of(team["MemberDefinitions"]))
    ]


def members(context: Context, space: Namespace, team: str) -> list[Mapping[str, Any]]:
    """The people (shape UserType) of a work team's groups, each once, by their names; of groups that are gone none.

    Of OIDC groups only their provider knows the members: none. Raises the Faults of DescribeWorkteam.
    """
    described = context.as_house(space, "sagemaker", "DescribeWorkteam", WorkteamName=team)["Workteam"]
    found: dict[str, Mapping[str, Any]] = {}
    for pool, group in groups_of(described["MemberDefinitions"]):
        known = {
            one["GroupName"] for one in _all(context, space, "cognito-idp", "ListGroups", "Groups", UserPoolId=pool)
        }
        if group in known:
            asked = {"UserPoolId": pool, "GroupName": group}
            for user in _all(context, space, "cognito-idp", "ListUsersInGroup", "Users", **asked):
                found[user["Username"]] = user
    return [found[name] for name in sorted(found)]


def teams_of_groups(context: Context, space: Namespace, groups: Collection[str]) -> list[Mapping[str, Any]]:
    """The work teams (shape Workteam) whose OidcMemberDefinition names one of an identity provider's groups, by their names."""
    return [
        team
        for team in _all(
            context, space, "sagemaker", "ListWorkteams", "Workteams", SortBy="Name", SortOrder="Ascending"
        )
        if any(
            group in groups
            for definition in team["MemberDefinitions"]
            for group in definition.get("OidcMemberDefinition", {}).get("Groups", ())
        )
    ]


def workforce_of(context: Context, space: Namespace) -> Mapping[str, Any] | None:
    """The region's workforce (shape Workforce), None where there is none."""
    found = context.as_house(space, "sagemaker", "ListWorkforces")["Workforces"]
    return found[0] if found else None


def oidc_secret(context: Context, space: Namespace, workforce: str) -> str:
    """The ClientSecret of a workforce's OidcConfig, which no operation answers; "" where it is gone."""
    row = context.store.get(Key(space, WORKFORCE, workforce))
    return "" if row is None else str(row.found.get(OIDC_SECRET, ""))


def groups_of(definitions: Any) -> Iterator[tuple[str, str]]:
    """(pool, group) of each CognitoMemberDefinition."""
    for definition in definitions:
        if cognito := definition.get("CognitoMemberDefinition"):
            yield cognito["UserPool"], cognito["UserGroup"]


def may_work_from(workforce: Mapping[str, Any], address: str) -> bool:
    """Whether a workforce's SourceIpConfig admits an IP address; without one every address is admitted."""
    blocks = workforce.get("SourceIpConfig", {}).get("Cidrs", [])
    try:
        source = ip_address(address)
    except ValueError:
        return not blocks
    return not blocks or any(source in ip_network(block, strict=False) for block in blocks)


def _all(
    context: Context, space: Namespace, service: str, name: str, member: str, **asked: Any
) -> Iterator[Mapping[str, Any]]:
    """Every entry of a list, page by page."""
    token: dict[str, Any] = {}
    while True:
        page = context.as_house(space, service, name, **asked, **token)
        yield from page[member]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
