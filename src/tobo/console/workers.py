"""Workers: people of a region's work teams, who sign in with a name and a password, may label for their teams, and nothing else.

Whoever is taken out of a team or disabled may nothing any more REMEMBERED seconds later, in sessions that are open, too. Of
an identity provider's people (Federated) the groups are those of the sign-in, until the session ends.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context, Principal
from tobo.operations.policy import Statement
from tobo.operations.workers import may_work_from, teams_of, teams_of_groups, workforce_of

REMEMBERED = 5.0
"""Seconds for which a worker's rights are not looked up again."""

REVIEWERS = "reviewers"
"""The group of a pool or a provider whose people settle conflicts as well."""

_DEEDS = ("ListWork", "DescribeWork", "ClaimTasks", "KeepTask", "ReleaseTasks", "AnswerTask", "SkipTask", "ReopenTask")
_MARK, _FEDERATED = "worker:", "federated:"


class NewPassword(Exception):
    """The password is right and temporary: one of one's own has to be chosen."""


class Worker(NamedTuple):
    """A person of a pool. `mark` stands in a session in an access key's place, which none can be mistaken for."""

    region: str
    pool: str
    name: str

    @property
    def mark(self) -> str:
        return _MARK + "/".join(self)


class Federated(NamedTuple):
    """A person whom a region's identity provider knows as `subject`, in `groups` when he signed in."""

    region: str
    issuer: str
    subject: str
    groups: tuple[str, ...]

    @property
    def mark(self) -> str:
        return _FEDERATED + json.dumps(self)


def worker_of(mark: str) -> Worker | Federated | None:
    """Whose session it is; None where it is that of an access key."""
    if mark.startswith(_FEDERATED):
        region, issuer, subject, groups = json.loads(mark.removeprefix(_FEDERATED))
        return Federated(region, issuer, subject, tuple(groups))
    return Worker(*mark.removeprefix(_MARK).split("/", 2)) if mark.startswith(_MARK) else None


def sign_in(context: Context, space: Namespace, given: Mapping[str, str], address: str) -> Worker:
    """With `username` and `password`, and `new_password` where the password is temporary, from an IP address.

    Raises NewPassword; Fault, in the same words for a name that is none and a password that is wrong.
    """
    workforce = workforce_of(context, space)
    cognito = workforce.get("CognitoConfig") if workforce else None
    if workforce is None or cognito is None:
        raise Fault(
            "AccessDeniedException",
            f"Nobody labels with a password in {space.region} yet: a work team has to be made first (docs/workforce.md).",
            403,
        )
    if not may_work_from(workforce, address):
        raise Fault("AccessDeniedException", f"The workforce may not work from {address}.", 403)
    pool, name = cognito["UserPool"], given.get("username", "")
    asked = {"UserPoolId": pool, "ClientId": cognito["ClientId"]}
    try:
        answer = _ask(context, space, asked, name, given.get("password", ""))
        if "ChallengeName" in answer:
            if not given.get("new_password"):
                raise NewPassword
            responses = {"USERNAME": name, "NEW_PASSWORD": given["new_password"]}
            context.as_house(
                *(space, "cognito-idp", "AdminRespondToAuthChallenge"),
                **{**asked, "ChallengeName": answer["ChallengeName"], "Session": answer["Session"]},
                ChallengeResponses=responses,
            )
    except Fault as fault:
        if fault.code in ("UserNotFoundException", "NotAuthorizedException"):
            raise Fault("NotAuthorizedException", "This name and password do not belong together.", 403) from None
        raise Fault(fault.code, fault.message, 403) from None
    worker = Worker(space.region, pool, name)
    if principal_of(context, space.account, worker) is None:
        raise Fault("AccessDeniedException", f"{name} is in no work team yet; ask who made the team.", 403)
    return worker


def principal_of(context: Context, account: str, worker: Worker | Federated) -> Principal | None:
    """What the worker may do now; None where he is disabled, gone, or in no team."""
    space = Namespace(account, worker.region)
    if isinstance(worker, Federated):
        return _federated(context, space, worker)
    try:
        user = context.as_house(space, "cognito-idp", "AdminGetUser", UserPoolId=worker.pool, Username=worker.name)
        teams = teams_of(context, space, worker.pool, worker.name) if user["Enabled"] else []
        groups = context.as_house(
            space, "cognito-idp", "AdminListGroupsForUser", UserPoolId=worker.pool, Username=worker.name
        )["Groups"]
    except Fault:
        return None
    if not teams:
        return None
    arn = str(Arn("cognito-idp", worker.region, account, f"userpool/{worker.pool}/user/{user['Username']}"))
    statements = _statements(teams, any(group["GroupName"] == REVIEWERS for group in groups))
    return Principal(account, arn, user["Username"], statements=statements)


def _federated(context: Context, space: Namespace, person: Federated) -> Principal | None:
    workforce = workforce_of(context, space)
    if workforce is None or workforce.get("OidcConfig", {}).get("Issuer") != person.issuer:
        return None
    teams = teams_of_groups(context, space, person.groups)
    if not teams:
        return None
    name = quote(person.subject, safe="@.")
    arn = str(Arn("sagemaker", space.region, space.account, f"workforce/{workforce['WorkforceName']}/user/{name}"))
    return Principal(space.account, arn, person.subject, statements=_statements(teams, REVIEWERS in person.groups))


def _statements(teams: Sequence[Mapping[str, Any]], reviews: bool) -> tuple[Statement, Statement]:
    deeds = (*_DEEDS, "ReviewTasks") if reviews else _DEEDS
    allowed = Statement(
        "Allow", tuple(f"tobo-labeling:{deed}" for deed in deeds), tuple(team["WorkteamArn"] for team in teams)
    )
    return allowed, Statement("Allow", ("tobo-labeling:ListWork",))


def _ask(context: Context, space: Namespace, asked: Mapping[str, Any], name: str, password: str) -> Mapping[str, Any]:
    parameters = {"USERNAME": name, "PASSWORD": password}
    answer: Mapping[str, Any] = context.as_house(
        *(space, "cognito-idp", "AdminInitiateAuth"),
        **asked,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters=parameters,
    )
    return answer
