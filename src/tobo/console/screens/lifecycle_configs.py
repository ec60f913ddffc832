"""Lifecycle configurations of notebooks: the scripts that run when one is made and when it starts."""

import base64
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

NAME = "NotebookInstanceLifecycleConfigName"

HOOKS = {"OnCreate": ("on_create", "When a notebook is made"), "OnStart": ("on_start", "When a notebook starts")}
"""Member of the API -> the form's field and its words."""

LONGEST = 16_384
"""Characters of a script in base64. The API's refusal names the same member for both of them."""

LIST = Plain(
    "Lifecycle configurations",
    "configuration",
    "notebook-instance-lifecycle-config",
    listed_at("lifecycle-configs"),
    ("Create configuration", "CreateNotebookInstanceLifecycleConfig", "lifecycle-configs/create"),
    (
        "No lifecycle configurations yet",
        "One has scripts that run when a notebook is made and when it starts, such as a pip install.",
    ),
    beside=(("Notebooks", "notebooks"), ("Code repositories", "code-repositories")),
)


@shown("/lifecycle-configs")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/lifecycle-configs/create")
def _form(visit: Visit) -> Response:
    scripts = {"OnCreate": "", "OnStart": "#!/bin/bash\nset -eu\npip install --quiet seaborn\n"}
    return visit.page("lifecycle_configs/create.html", hooks=HOOKS, scripts=scripts)


@posted("/lifecycle-configs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    if not name:
        raise Fault("ValidationException", "Name: the configuration has none yet; give one, such as seaborn.")
    scripts = {hook: script for hook, script in _scripts(fields).items() if script}
    visit.change("sagemaker", "CreateNotebookInstanceLifecycleConfig", **{NAME: name}, **scripts)
    return visit.done(
        url("lifecycle-configs", name), f"Configuration {name} was created; choose it when you create a notebook."
    )


@shown("/lifecycle-configs/{name}")
def _page(visit: Visit) -> Response:
    name = visit.path["name"]
    found = visit.call("sagemaker", "DescribeNotebookInstanceLifecycleConfig", **{NAME: name})
    users = visit.attempt(
        "sagemaker", "ListNotebookInstances", NotebookInstanceLifecycleConfigNameContains=name, MaxResults=100
    )
    return visit.page(
        "lifecycle_configs/page.html",
        config=found,
        name=name,
        hooks=HOOKS,
        scripts={hook: _text(found.get(hook)) for hook in HOOKS},
        users=[
            one["NotebookInstanceName"]
            for one in (users or {"NotebookInstances": []})["NotebookInstances"]
            if one.get(NAME) == name
        ],
    )


@posted("/lifecycle-configs/{name}/change")
def _change(visit: Visit) -> Response:
    """Both scripts; one that was emptied is taken away."""
    name = visit.path["name"]
    visit.change(
        "sagemaker", "UpdateNotebookInstanceLifecycleConfig", **{NAME: name}, **_scripts(fields_of(visit.form))
    )
    return visit.done(
        url("lifecycle-configs", name), f"Configuration {name} was changed; notebooks run it when they start next."
    )


@posted("/lifecycle-configs/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteNotebookInstanceLifecycleConfig", **{NAME: name})
    return visit.done(url("lifecycle-configs"), f"Configuration {name} was deleted.")


def _scripts(fields: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """As the API has them, in base64. Raises Fault ValidationException for one that is too long."""
    return {hook: _script(fields.get(field, ""), words) for hook, (field, words) in HOOKS.items()}


def _script(text: str, words: str) -> list[dict[str, str]]:
    """bash takes a carriage return for a part of the command, so lines end without one."""
    if not text:
        return []
    content = base64.b64encode(text.replace("\r\n", "\n").encode() + b"\n").decode()
    if len(content) > LONGEST:
        said = f"{words}: the script has {len(content):,} characters in base64, and {LONGEST:,} are the most; put a part into a file."
        raise Fault("ValidationException", said)
    return [{"Content": content}]


def _text(scripts: Any) -> str:
    """ "" where there is none."""
    return base64.b64decode(scripts[0].get("Content", "")).decode("utf-8", "replace") if scripts else ""


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _page, _change, _delete)
