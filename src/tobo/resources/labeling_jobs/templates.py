"""Templates of a job's own: which jobs show one to their workers, what goes into it, and what its form must say.

CreateLabelingJob of AWS always names a template, mostly one of those that its documentation prints: one crowd element of the
task's type in a crowd-form, with instructions. Such a one asks for nothing that the work page does not ask for; workers see
the work page. A template with a further field, a script, or of a custom task (PassThrough) is shown as it is.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, NamedTuple

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.sources import read_object
from tobo.operations.worker_tasks.rendering import check
from tobo.resources.labeling_jobs.task_types import Shape, TaskType
from tobo.store.base import Row

MOST = 128_000
"""Characters of a template; what CreateHumanTaskUi takes."""

_PLACE = "HumanTaskConfig.UiConfig.UiTemplateS3Uri"

_CROWD: Mapping[Shape, tuple[str, ...]] = {
    "class": ("crowd-image-classifier", "crowd-classifier"),
    "classes": ("crowd-image-classifier-multi-select", "crowd-classifier-multi-select"),
    "boxes": ("crowd-bounding-box",),
    "polygons": ("crowd-polygon",),
    "mask": ("crowd-semantic-segmentation",),
    "spans": ("crowd-entity-annotation",),
    "fields": (),
}
"""The elements whose answer is one of this shape."""

_ASKING = {
    *("input", "select", "textarea", "crowd-input", "crowd-text-area", "crowd-checkbox", "crowd-radio-button"),
    *("crowd-slider", "crowd-toggle-button", *(name for names in _CROWD.values() for name in names)),
}


class Template(NamedTuple):
    """Liquid and HTML. `field` names the element that the answer's task is in, "" where any form will do."""

    text: str
    field: str = ""


def template_of(row: Row) -> Template | None:
    """The one that a job's workers see; None where they see the work page."""
    text = row.found.get("_template")
    return None if text is None else Template(str(text), str(row.found["_field"]))


def read_template(call: Call, asked: Mapping[str, Any], kind: TaskType) -> Template | None:
    """Read here and kept with the job: what becomes of the object afterwards changes nothing. Raises Fault."""
    address = asked["HumanTaskConfig"]["UiConfig"].get("UiTemplateS3Uri")
    if address is None:
        if kind.shape == "fields":
            raise validation(f"{_PLACE} is missing; a custom task is what its template shows.")
        return None
    uri = parse_s3_uri(address, _PLACE)
    try:
        text = read_object(call.context.objects, call.space, uri).decode()
    except Fault as fault:
        if fault.code in ("NoSuchKey", "NoSuchBucket"):
            raise validation(f"{_PLACE}: {fault.message}") from None
        raise
    except UnicodeDecodeError as error:
        raise validation(f"{_PLACE}: '{uri}' is no text in UTF-8 ({error}).") from None
    if len(text) > MOST:
        raise validation(f"{_PLACE}: '{uri}' has {len(text)} characters; a template has at most {MOST}.")
    if errors := check(text):
        raise validation(f"{_PLACE}: '{uri}' is no template ({errors[0]['Code']}): {errors[0]['Message']}")
    return _own(text, kind, str(uri))


def input_of(line: Mapping[str, Any], labels: list[str]) -> dict[str, Any]:
    """`task.input`: the line, and what AWS's functions for built-in tasks make of it, taskObject and labels."""
    return {"taskObject": line.get("source-ref", line.get("source")), "labels": labels, **line}


def _own(text: str, kind: TaskType, place: str) -> Template | None:
    found = _Form()
    found.feed(text)
    found.close()
    if kind.shape == "fields":
        return Template(text)
    names = [name for tag, name in found.fields if tag in _CROWD[kind.shape]]
    if not names or not names[0]:
        raise validation(
            f"{_PLACE}: '{place}' has no <{_CROWD[kind.shape][0]} name=...>, whose answer a {kind.name} task is; add it, or"
            " name the functions PRE-PassThrough and ACS-PassThrough, which take any form."
        )
    return None if len(found.fields) == 1 and not found.scripts else Template(text, names[0])


class _Form(HTMLParser):
    """(tag, name) of the elements that ask something, and how many scripts there are but AWS's own."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _ASKING and given.get("type") not in ("submit", "reset", "button"):
            self.fields.append((tag, given.get("name") or ""))
        if tag == "script" and "assets.crowd.aws/" not in (given.get("src") or ""):
            self.scripts += 1
