"""Worker tasks in templates of their authors: labelled by mouse and by keys, and what a hostile template cannot do."""

import json
from typing import Any

from playwright.sync_api import FrameLocator, Page
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium
from tests.support.labelling import bucket_of, create, ended, labeling_job, output_of, put_lines

pytestmark = needs_chromium

CLASSES = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier name="class" src="{{ task.input.taskObject | grant_read_access }}"
    categories="{{ task.input.labels | to_json | escape }}" header="Which one?">
    <short-instructions>Look at the rim.</short-instructions>
    <full-instructions header="All of it"><p>Rims are <b>round</b>.</p></full-instructions>
  </crowd-image-classifier>
  <crowd-input name="note" label="What is odd about it?" required></crowd-input>
</crowd-form>
"""


def templated(server: Server, template: str, kind: str = "PassThrough", pictures: Any = 2, **changes: Any) -> str:
    """The name of a job in progress with this template."""
    bucket = bucket_of(server, pictures)
    server.client("s3").put_object(Bucket=bucket, Key="task.liquid.html", Body=template.encode())
    if texts := changes.pop("texts", None):
        changes["source"] = put_lines(server, bucket, [{"source": text} for text in texts])
    request = labeling_job(server, bucket, kind, **changes)
    request["HumanTaskConfig"]["UiConfig"] = {"UiTemplateS3Uri": f"s3://{bucket}/task.liquid.html"}
    create(server, request)
    return str(request["LabelingJobName"])


def frame(page: Page, after: str | None = None) -> FrameLocator:
    """The task's own document, once it is another one than `after` and has said that it is there."""
    page.wait_for_function(
        "after => { const bench = document.querySelector('work-bench'); return bench?.dataset.item !== undefined"
        " && bench.dataset.item !== after && bench.element?.ready; }",
        arg=after,
    )
    return page.frame_locator("task-frame iframe")


def lines(server: Server, name: str) -> list[dict[str, Any]]:
    return output_of(server, ended(server, name))


def test_a_template_by_mouse(root: Visitor, server: Server) -> None:
    name = templated(server, CLASSES)
    page = root.go(f"work/{name}")
    task = frame(page)
    task.get_by_role("option", name="ko").click()
    task.get_by_label("What is odd about it?").fill("a chip <b>")
    task.get_by_role("button", name="Submit").click()
    task = frame(page, "0")
    task.get_by_role("option", name="ok").click()
    task.get_by_label("What is odd about it?").fill("nothing")
    task.get_by_role("button", name="Submit").click()
    first, second = (line["label"]["annotationsFromAllWorkers"] for line in lines(server, name))
    assert [json.loads(one["annotationData"]["content"]) for one in (*first, *second)] == [
        {"class": {"label": "ko"}, "note": "a chip <b>"},
        {"class": {"label": "ok"}, "note": "nothing"},
    ]
