"""Users, keys and roles: who may do what."""

import json
from typing import Any
from urllib.parse import unquote

from starlette.responses import HTMLResponse, Response

from tobo.console.lists import addresses
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

EXAMPLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sagemaker:List*", "sagemaker:Describe*"], "Resource": "*"}],
}


@shown("/users")
def _users(visit: Visit) -> Response:
    return visit.page("people/users.html", **_listed(visit, "ListUsers", "Users"), at=addresses(visit, "users"))


@shown("/roles")
def _roles(visit: Visit) -> Response:
    return visit.page("people/roles.html", **_listed(visit, "ListRoles", "Roles"), at=addresses(visit, "roles"))


@shown("/users/{name}")
def _user(visit: Visit) -> Response:
    name = visit.path["name"]
    user = visit.call("iam", "GetUser", UserName=name)["User"]
    keys = visit.call("iam", "ListAccessKeys", UserName=name)["AccessKeyMetadata"]
    return visit.page(
        "people/user.html",
        user=user,
        keys=keys,
        example=json.dumps(EXAMPLE, indent=2),
        known=visit.quietly("iam", "ListPolicies", Scope="All")["Policies"] if visit.may("iam", "ListPolicies") else [],
        **_policies(visit, "User", name),
    )


@shown("/roles/{name}")
def _role(visit: Visit) -> Response:
    name = visit.path["name"]
    role = visit.call("iam", "GetRole", RoleName=name)["Role"]
    return visit.page("people/role.html", role=role, trust=_shown(role), **_policies(visit, "Role", name))


@posted("/users/create")
def _create(visit: Visit) -> Response:
    name = fields_of(visit.form).get("name", "")
    if not name:
        raise Fault("ValidationException", "The user has no name yet; give one, such as ada.")
    visit.change("iam", "CreateUser", UserName=name)
    return visit.done(url("users", name), f"User {name} was created. Without a policy it may do nothing yet.")


@posted("/users/{name}/delete")
def _delete(visit: Visit) -> Response:
    visit.change("iam", "DeleteUser", UserName=visit.path["name"])
    return visit.done(url("users"), f"User {visit.path['name']} was deleted.")


@posted("/users/{name}/keys")
def _create_key(visit: Visit) -> Response:
    """Answers with the secret itself, in the page: it is nowhere else."""
    made = visit.change("iam", "CreateAccessKey", UserName=visit.path["name"])
    if visit.as_code:
        return visit.done("", "")
    values = {"key": made["AccessKey"], "url": url}
    return HTMLResponse(visit.rendering.page("people/secret.html", values), headers={"Cache-Control": "no-store"})


@posted("/users/{name}/keys/{key}")
def _change_key(visit: Visit) -> Response:
    asked = {"UserName": visit.path["name"], "AccessKeyId": visit.path["key"]}
    deed = fields_of(visit.form).get("deed")
    if deed == "delete":
        visit.change("iam", "DeleteAccessKey", **asked)
        return visit.done(url("users", visit.path["name"]), f"Access key {visit.path['key']} was deleted.")
    status = "Active" if deed == "activate" else "Inactive"
    visit.change("iam", "UpdateAccessKey", **asked, Status=status)
    return visit.done(url("users", visit.path["name"]), f"Access key {visit.path['key']} is now {status.lower()}.")


@posted("/users/{name}/policies")
def _put_policy(visit: Visit) -> Response:
    name, fields = visit.path["name"], fields_of(visit.form)
    policy = fields.get("policy", "")
    if not policy:
        raise Fault("ValidationException", "The policy has no name yet; give one, such as own.")
    visit.change("iam", "PutUserPolicy", UserName=name, PolicyName=policy, PolicyDocument=_checked(fields))
    return visit.done(url("users", name), f"Policy {policy} was saved.")


@posted("/users/{name}/rights")
def _change_rights(visit: Visit) -> Response:
    """Attaches and detaches managed policies, deletes inline ones."""
    name, fields = visit.path["name"], fields_of(visit.form)
    policy, deed = fields.get("policy", ""), fields.get("deed")
    if deed == "delete":
        visit.change("iam", "DeleteUserPolicy", UserName=name, PolicyName=policy)
    elif deed == "detach":
        visit.change("iam", "DetachUserPolicy", UserName=name, PolicyArn=policy)
    else:
        visit.change("iam", "AttachUserPolicy", UserName=name, PolicyArn=policy)
    done = {"delete": "deleted", "detach": "detached"}.get(deed or "", "attached")
    return visit.done(url("users", name), f"Policy {policy.rsplit('/', 1)[-1]} was {done}.")


def _listed(visit: Visit, operation: str, member: str) -> dict[str, Any]:
    token = visit.query.get("token")
    found = visit.call("iam", operation, MaxItems=100, **({"Marker": token} if token else {}))
    return {"found": found[member], "next_token": found.get("Marker")}


def _policies(visit: Visit, kind: str, name: str) -> dict[str, Any]:
    """Those inline, with their documents, and those attached."""
    asked = {f"{kind}Name": name}
    names = visit.call("iam", f"List{kind}Policies", **asked)["PolicyNames"]
    inline = {
        each: _pretty(visit.quietly("iam", f"Get{kind}Policy", **asked, PolicyName=each)["PolicyDocument"])
        for each in names
    }
    attached = visit.call("iam", f"ListAttached{kind}Policies", **asked)["AttachedPolicies"]
    return {"inline": inline, "attached": attached}


def _shown(role: dict[str, Any]) -> str:
    return _pretty(role.get("AssumeRolePolicyDocument", "{}"))


def _pretty(document: str) -> str:
    try:
        return json.dumps(json.loads(unquote(document)), indent=2)
    except ValueError:
        return unquote(document)


def _checked(fields: dict[str, str]) -> str:
    """The document of the form; where it is no JSON, the refusal names the place."""
    text = fields.get("document", "")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        near = text.splitlines()[error.lineno - 1].strip()[:60] if text else ""
        raise Fault(
            "MalformedPolicyDocument",
            f"The policy is no JSON at line {error.lineno}, column {error.colno} ('{near}'): {error.msg}; mend it there.",
        ) from None
    return text


SCREENS: tuple[Screen, ...] = (
    *(_users, _roles, _create, _user, _role, _delete, _create_key, _change_key, _put_policy, _change_rights),
)
