"""A worker task's page: its template filled with its input, and the pictures that it may load."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.worker_tasks.granting import Grants, object_of, path_of
from tobo.operations.worker_tasks.rendering import render

TASK_UI = "human-task-ui"
"""The kind of the rows that keep templates under a name."""

MOST_PICTURES = 200
"""Objects that one page may load: all of them stand in one header."""


@dataclass(frozen=True)
class Page:
    """`content` HTML, "" where there is none; `errors` as RenderUiTemplate tells them; `pictures` paths on this server."""

    content: str
    errors: list[Mapping[str, str]]
    pictures: list[str]

    def told(self) -> dict[str, Any]:
        """As an operation answers it."""
        return {"Content": self.content, "Errors": self.errors, "Pictures": self.pictures}


def template_of(call: Call, arn: str) -> str:
    """The text of a human task UI. Raises Fault ResourceNotFound."""
    row = call.context.store.find_arn(arn)
    if row is None or row.key.kind != TASK_UI or row.key.space != call.space:
        raise Fault(
            "ResourceNotFound", f"There is no human task UI '{arn}' any more; make it again with CreateHumanTaskUi."
        )
    return str(row.asked["UiTemplate"]["Content"])


def make_page(call: Call, template: str, task_input: Any, role: str, host: str) -> Page:
    """Reads with `role`'s rights, whoever looks: who may work at the task may see what it is about, as on AWS.

    `host` (host:port) is what the browser calls this server; the addresses in the page work under no other name.
    """
    grants, pictures = Grants(call, role), dict[str, None]()

    def grant(text: str) -> str:
        uri = object_of(text)
        path = path_of(uri)
        if path not in pictures and len(pictures) >= MOST_PICTURES:
            raise Fault("ValidationException", f"grant_read_access: a task's page has at most {MOST_PICTURES} objects.")
        pictures[path] = None
        return grants.link(uri, host)

    rendered = render(template, task_input, grant)
    return Page(rendered.content, rendered.errors, list(pictures))
