"""Workers: who is in a work team, which teams a person is in, and from where they may work; asked by the one door.

And what they may be asked: labelling jobs and flow definitions are works, each served by its noun's functions, which
`work_operation` joins into the operations of tobo's own service `tobo-labeling`.
"""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from tobo.kit.arn import Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context
from tobo.operations.registry import Asked, Serve, operation
from tobo.settings import Settings

WORK = "/_tobo/console/work"
"""The path of the page at which people label."""


SERVICE = "tobo-labeling"

Resource = Callable[[Call, Asked], str]


class _Served(NamedTuple):
    """What serves an operation for one kind of work, and the ARN that it is asked on."""

    serve: Serve
    resource: Resource


_SERVED: dict[str, dict[str, _Served]] = {}
"""By operation and kind of work."""

_LISTS: list[Callable[[Call], list[dict[str, Any]]]] = []


def work_operation(name: str, kind: str, resource: Resource, action: str | None = None) -> Callable[[Serve], Serve]:
    """Registers how works of a kind serve an operation of tobo-labeling; `kind` is what their ARNs have before the slash."""

    def register(serve: Serve) -> Serve:
        kinds = _SERVED.setdefault(name, {})
        if not kinds:
            operation(SERVICE, name, action, lambda call, asked: _served(name, asked).resource(call, asked))(
                lambda call, asked: _served(name, asked).serve(call, asked)
            )
        kinds[kind] = _Served(serve, resource)
        return serve

    return register


def listed_work(list_work: Callable[[Call], list[dict[str, Any]]]) -> Callable[[Call], list[dict[str, Any]]]:
    """Registers what a kind of work adds to ListWork."""
    if not _LISTS:
        operation(SERVICE, "ListWork")(lambda call, asked: {"Work": [work for each in _LISTS for work in each(call)]})
    _LISTS.append(list_work)
    return list_work


def _served(name: str, asked: Asked) -> _Served:
    """Raises Fault ResourceNotFound for an ARN that is no such work's."""
    arn = asked["LabelingJobArn"]
    served = _SERVED[name].get(parse_arn(arn).resource.partition("/")[0])
    if served is None:
        raise Fault("ResourceNotFound", f"'{arn}' is no work that {name} is for; ListWork tells yours.")
    return served


def worker_page(settings: Settings) -> str:
    """SubDomain of workforces and teams: host, port and path, without a scheme, as AWS gives it."""
    return f"{settings.reached(settings.port)}{WORK}"


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
