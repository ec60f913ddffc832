"""Code repositories: Git addresses with a name, which notebooks clone."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault
from tobo.notebooks.repositories import without_password

LIST = Plain(
    "Code repositories",
    "repository",
    "code-repository",
    listed_at("code-repositories"),
    ("Add repository", "CreateCodeRepository", "code-repositories/create"),
    (
        "No code repositories yet",
        "One is the address of a Git repository under a name, which a notebook clones into its volume.",
    ),
    extra={
        "Address": lambda one: without_password(one["GitConfig"]["RepositoryUrl"]),
        "Branch": lambda one: one["GitConfig"].get("Branch", "–"),
    },
    beside=(("Notebooks", "notebooks"), ("Lifecycle configurations", "lifecycle-configs")),
)


@shown("/code-repositories")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/code-repositories/create")
def _form(visit: Visit) -> Response:
    return visit.page("code_repositories/create.html")


@posted("/code-repositories/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    if not name:
        raise Fault("ValidationException", "Name: the repository has none yet; give one, such as counting.")
    members = (("address", "RepositoryUrl"), ("branch", "Branch"), ("secret", "SecretArn"))
    git = {member: fields[field] for field, member in members if field in fields}
    visit.change("sagemaker", "CreateCodeRepository", CodeRepositoryName=name, GitConfig=git)
    return visit.done(
        url("code-repositories", name), f"Repository {name} was added; choose it when you create a notebook."
    )


@shown("/code-repositories/{name}")
def _page(visit: Visit) -> Response:
    name = visit.path["name"]
    found = visit.call("sagemaker", "DescribeCodeRepository", CodeRepositoryName=name)
    address = without_password(found["GitConfig"]["RepositoryUrl"])
    return visit.page(
        "code_repositories/page.html", repository=found, name=name, address=address, users=_users(visit, name)
    )


@posted("/code-repositories/{name}/change")
def _change(visit: Visit) -> Response:
    """The secret, which is all that UpdateCodeRepository changes."""
    name, secret = visit.path["name"], fields_of(visit.form).get("secret", "")
    visit.change("sagemaker", "UpdateCodeRepository", CodeRepositoryName=name, GitConfig={"SecretArn": secret})
    return visit.done(url("code-repositories", name), f"The secret of repository {name} was changed.")


@posted("/code-repositories/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteCodeRepository", CodeRepositoryName=name)
    return visit.done(url("code-repositories"), f"Repository {name} was removed; what was cloned of it stays.")


def _users(visit: Visit, name: str) -> list[str]:
    """Notebooks that clone it first or beside others, as far as the key may list them."""
    filters: tuple[Mapping[str, Any], ...] = (
        {"DefaultCodeRepositoryContains": name},
        {"AdditionalCodeRepositoryEquals": name},
    )
    found = [visit.attempt("sagemaker", "ListNotebookInstances", **each, MaxResults=100) for each in filters]
    notebooks = [one for answer in found if answer for one in answer["NotebookInstances"]]
    return sorted(
        {
            one["NotebookInstanceName"]
            for one in notebooks
            if name in (one.get("DefaultCodeRepository"), *one.get("AdditionalCodeRepositories", []))
        }
    )


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _page, _change, _delete)
