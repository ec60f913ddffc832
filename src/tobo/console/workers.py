"""Workers: people of a region's work teams, who sign in with a name and a password, may label for their teams, and nothing else.

Whoever is taken out of a team or disabled may nothing any more REMEMBERED seconds later, in sessions that are open, too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context, Principal
from tobo.operations.policy import Statement
from tobo.operations.workers import may_work_from, teams_of

REMEMBERED = 5.0
"""Seconds for which a worker's rights are not looked up again."""

REVIEWERS = "reviewers"
"""The group of a pool whose people settle conflicts as well."""

_DEEDS = ("ListWork", "DescribeWork", "ClaimTasks", "KeepTask", "ReleaseTasks", "AnswerTask", "SkipTask", "ReopenTask")
_MARK = "worker:"


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


def worker_of(mark: str) -> Worker | None:
    """Whose session it is; None where it is that of an access key."""
    return Worker(*mark.removeprefix(_MARK).split("/", 2)) if mark.startswith(_MARK) else None


def sign_in(context: Context, space: Namespace, given: Mapping[str, str], address: str) -> Worker:
    """With `username` and `password`, and `new_password` where the password is temporary, from an IP address.

    Raises NewPassword; Fault, in the same words for a name that is none and a password that is wrong.
    """
    workforces = context.as_house(space, "sagemaker", "ListWorkforces")["Workforces"]
    cognito = workforces[0].get("CognitoConfig") if workforces else None
    if cognito is None:
        raise Fault(
            "AccessDeniedException",
            f"Nobody labels with a password in {space.region} yet: a work team has to be made first (docs/workforce.md).",
            403,
        )
    if not may_work_from(workforces[0], address):
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


def principal_of(context: Context, account: str, worker: Worker) -> Principal | None:
    """What the worker may do now; None where he is disabled, gone, or in no team."""
    space = Namespace(account, worker.region)
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
    reviews = any(group["GroupName"] == REVIEWERS for group in groups)
    deeds = (*_DEEDS, "ReviewTasks") if reviews else _DEEDS
    allowed = Statement(
        "Allow", tuple(f"tobo-labeling:{deed}" for deed in deeds), tuple(team["WorkteamArn"] for team in teams)
    )
    work = Statement("Allow", ("tobo-labeling:ListWork",))
    arn = str(Arn("cognito-idp", worker.region, account, f"userpool/{worker.pool}/user/{user['Username']}"))
    return Principal(account, arn, user["Username"], statements=(allowed, work))


def _ask(context: Context, space: Namespace, asked: Mapping[str, Any], name: str, password: str) -> Mapping[str, Any]:
    parameters = {"USERNAME": name, "PASSWORD": password}
    answer: Mapping[str, Any] = context.as_house(
        *(space, "cognito-idp", "AdminInitiateAuth"),
        **asked,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters=parameters,
    )
    return answer
