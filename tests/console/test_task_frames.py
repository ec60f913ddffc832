"""Worker tasks in templates of their authors: labelled by mouse and by keys, and what a hostile template cannot do."""

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Page, expect
from tests.conftest import Server
from tests.support.browser import AXE, Visitor, limited_user, needs_chromium, visitor
from tests.support.labelling import WORKER, bucket_of, create, ended, labeling_job, output_of, put_lines
from tests.support.unique import unique

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


def said(server: Server, name: str) -> list[Any]:
    """What each item's only worker has said, once the job has ended."""
    return [
        json.loads(line["label"]["annotationsFromAllWorkers"][0]["annotationData"]["content"])
        for line in lines(server, name)
    ]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_template_by_mouse(root: Visitor, server: Server) -> None:
    name = templated(server, CLASSES)
    page = root.go(f"work/{name}")
    for after, label, note in ((None, "ko", "a chip <b>"), ("0", "ok", "nothing")):
        task = frame(page, after)
        task.get_by_role("option", name=label).click()
        task.get_by_label("What is odd about it?").fill(note)
        task.get_by_role("button", name="Submit").click()
    assert said(server, name) == [
        {"class": {"label": "ko"}, "note": "a chip <b>"},
        {"class": {"label": "ok"}, "note": "nothing"},
    ]


def test_a_template_with_keys_alone(browser: Browser, server: Server) -> None:
    """By a worker who has no right in S3: the picture is granted with the job's role."""
    name = templated(server, CLASSES.replace("required", ""))
    with visitor(browser, server) as its:
        its.sign_in(*limited_user(server, unique("worker"), WORKER))
        page = its.go("work")
        page.get_by_role("link", name=f"Label {name}").focus()
        press(page, "Enter")
        frame(page)
        press(page, "2", "Enter")
        task = frame(page, "0")
        assert task.locator(".label-sheet img").evaluate("picture => picture.naturalWidth") == 64
        press(page, "Enter")  # nothing is chosen: it is said, and nothing is sent
        expect(task.get_by_role("alert")).to_have_text("Nothing is chosen yet; choose a class first.")
        press(page, "1", "Enter")
        expect(page.locator(".empty h2")).to_have_text("All done")
        assert its.troubles == []
    assert said(server, name) == [{"class": {"label": "ko"}, "note": ""}, {"class": {"label": "ok"}, "note": ""}]


FIELDS = """<crowd-form>
  <p>{{ task.input.source }}</p>
  <crowd-input name="word" label="Word" max-length="5" required></crowd-input>
  <crowd-text-area name="more" label="More" rows="2" value="as it was"></crowd-text-area>
  <crowd-checkbox name="seen" value="rust">Rust</crowd-checkbox><crowd-checkbox name="seen" value="dent" checked>Dent</crowd-checkbox>
  <crowd-radio-group>
    <crowd-radio-button name="a" value="yes">Yes</crowd-radio-button><crowd-radio-button name="b" value="no">No</crowd-radio-button>
  </crowd-radio-group>
  <crowd-slider name="sure" min="0" max="10" step="1" value="3"></crowd-slider>
  <crowd-toggle-button name="good" checked>Good</crowd-toggle-button>
  <input name="plain" value="1" aria-label="Plain"><select name="size" aria-label="Size"><option>small<option selected>big</select>
  <label><input type="radio" name="hand" value="left" checked>left</label><label><input type="radio" name="hand" value="right">right</label>
  <crowd-classifier name="tone" categories='["kind", {"label": "rude"}]'>
    <classification-target>He said <i>what</i>?</classification-target>
  </crowd-classifier>
  <crowd-tabs><crowd-tab header="One">first</crowd-tab><crowd-tab header="Two">second</crowd-tab></crowd-tabs>
  <crowd-instructions link-text="How to"><short-summary>Shortly.</short-summary></crowd-instructions>
  <crowd-alert type="warning" dismissible>Careful</crowd-alert>
  <crowd-card heading="A card">In it</crowd-card>
  <crowd-button form-action="submit" variant="primary">Send it</crowd-button>
</crowd-form>
"""


def test_every_field_says_what_ground_truth_says(root: Visitor, server: Server) -> None:
    name = templated(server, FIELDS, texts=["It costs 5 <b>€</b>."])
    page = root.go(f"work/{name}")
    task = frame(page)
    expect(task.locator("p").first).to_have_text("It costs 5 <b>€</b>.")
    task.get_by_role("button", name="Send it").click()  # the word is required: the browser says so
    assert task.get_by_label("Word").evaluate("field => field.validity.valueMissing")
    task.get_by_label("Word").fill("ratchet")
    task.get_by_label("Rust").check()
    task.get_by_label("No", exact=True).check()
    task.get_by_label("sure").fill("7")
    task.get_by_label("Good").uncheck()
    task.get_by_role("option", name="rude").click()
    task.get_by_role("tab", name="Two").click()
    expect(task.get_by_role("tabpanel")).to_have_text("second")
    task.get_by_role("button", name="How to").click()
    expect(task.get_by_role("dialog")).to_contain_text("Shortly.")
    press(page, "Escape")
    task.get_by_role("button", name="Dismiss").click()
    expect(task.get_by_text("Careful")).to_have_count(0)
    task.get_by_role("button", name="Send it").click()
    assert said(server, name) == [
        {
            "word": "ratch",
            "more": "as it was",
            "seen": {"rust": True, "dent": True},
            "a": {"yes": False},
            "b": {"no": True},
            "sure": 7,
            "good": {"on": False},
            "plain": "1",
            "size": "big",
            "hand": {"left": True, "right": False},
            "tone": {"label": "rude"},
        }
    ]


DRAWN = """<crowd-form><{tag} name="it" src="{{{{ task.input.taskObject | grant_read_access }}}}" text="{{{{ task.input.source }}}}"
 header="Mark it" labels="{{{{ task.input.labels | to_json | escape }}}}" {more}></{tag}></crowd-form>"""


@pytest.mark.parametrize(
    ("tag", "keys", "member", "count"),
    [
        ("crowd-bounding-box", ("n", "ArrowRight", "ArrowRight", "Enter"), "boundingBoxes", 1),
        (
            "crowd-polygon",
            ("n", "Enter", *["ArrowRight"] * 3, "Enter", *["ArrowDown"] * 3, "Enter", "Enter"),
            "polygons",
            1,
        ),
        ("crowd-entity-annotation", ("ArrowRight", "Enter"), "entities", 1),
        ("crowd-bounding-box", ("x",), "boundingBoxes", 0),
    ],
)
def test_what_is_drawn(root: Visitor, server: Server, tag: str, keys: tuple[str, ...], member: str, count: int) -> None:
    texts = ["Ada was here."] if tag == "crowd-entity-annotation" else None
    name = templated(server, DRAWN.format(tag=tag, more=""), pictures=1, texts=texts)
    page = root.go(f"work/{name}")
    frame(page)
    press(page, *keys)
    press(page, "Control+Enter")
    [answer] = said(server, name)
    assert [one["label"] for one in answer["it"][member]] == ["ok"] * count
    if member != "entities":
        assert answer["it"]["inputImageProperties"] == {"width": 64, "height": 48}


def test_a_mask(root: Visitor, server: Server) -> None:
    name = templated(server, DRAWN.format(tag="crowd-semantic-segmentation", more=""), pictures=1)
    page = root.go(f"work/{name}")
    stage = frame(page).locator(".label-stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] / 2 + 30, stage["y"] + stage["height"] / 2, steps=3)
    page.mouse.up()
    press(page, "Control+Enter")
    [answer] = said(server, name)
    png = base64.b64decode(answer["it"]["labeledImage"]["pngImageData"])
    with Image.open(io.BytesIO(png)) as painted:
        colors = {"#" + bytes(color[:3]).hex() for _, color in painted.convert("RGBA").getcolors() or () if color[3]}
    assert answer["it"]["labelMappings"]["ok"]["color"] in colors


def test_none_of_them_goes_with_nothing_else(root: Visitor, server: Server) -> None:
    """exclusion-category; and initial-value, from which the worker begins."""
    multi = """<crowd-form><crowd-image-classifier-multi-select name="all" src="{{ task.input.taskObject | grant_read_access }}"
    categories='["red", "round"]' exclusion-category='{"text": "None"}'></crowd-image-classifier-multi-select></crowd-form>"""
    name = templated(server, multi, pictures=1)
    page = root.go(f"work/{name}")
    frame(page)
    press(page, "1", "2", "3", "Enter")
    assert said(server, name) == [{"all": {"labels": ["None"]}}]
    box = '[{"left": 3, "top": 4, "width": 20, "height": 10, "label": "ko"}]'
    name = templated(server, DRAWN.format(tag="crowd-bounding-box", more=f"initial-value='{box}'"), pictures=1)
    page = root.go(f"work/{name}")
    frame(page)
    press(page, "Enter")
    assert said(server, name)[0]["it"]["boundingBoxes"] == json.loads(box)


def test_what_is_not_there_is_said(browser: Browser, server: Server) -> None:
    """Elements that nobody knows, those of AWS' own services, attributes that are no JSON, and files from elsewhere."""
    name = templated(
        server,
        """<crowd-form><crowd-unheard-of name="x"></crowd-unheard-of>
        <crowd-textract-analyze-document name="y"></crowd-textract-analyze-document>
        <crowd-classifier name="z" categories="[ok"></crowd-classifier>
        <img src="https://example.com/picture.png"></crowd-form>""",
    )
    with visitor(browser, server) as its:
        its.sign_in()
        task = frame(its.go(f"work/{name}"))
        for words in (
            "<crowd-unheard-of>: there is no such element here; docs/templates.md lists those that are.",
            "<crowd-textract-analyze-document>: this element shows what Amazon Textract has said, which is on AWS only.",
            "<crowd-classifier>: categories is no JSON: [ok",
            "https://example.com/picture.png was not loaded: a task's page has nothing but its own pictures.",
        ):
            expect(task.get_by_text(words, exact=True)).to_be_visible()


def test_a_template_that_cannot_be_rendered(root: Visitor, server: Server) -> None:
    """It is said in the page, and the worker goes on with the next one."""
    name = templated(
        server, "<form>{{ task.input.taskObject | grant_read_access }}{{ 1 | divided_by: task.input.none }}</form>"
    )
    page = root.go(f"work/{name}")
    expect(frame(page).get_by_role("alert")).to_contain_text("divided_by")
    page.locator("summary", has_text="Skip").click()
    page.get_by_role("button", name="The instructions do not say").click()
    expect(frame(page, "0").get_by_role("alert")).to_contain_text("divided_by")


def test_a_draft_outlives_the_page_and_an_answer_is_taken_back(root: Visitor, server: Server) -> None:
    name = templated(server, CLASSES)
    page = root.go(f"work/{name}")
    task = frame(page)
    task.get_by_role("option", name="ko").click()
    with page.expect_response(lambda answer: "half a sen" in (answer.request.post_data or "")):
        task.get_by_label("What is odd about it?").fill("half a sen")
    page.reload()
    task = frame(page)
    expect(task.get_by_label("What is odd about it?")).to_have_value("half a sen")
    expect(task.get_by_role("option", name="ko")).to_have_attribute("aria-selected", "true")
    task.get_by_role("button", name="Submit").click()
    frame(page, "0")
    expect(page.locator("[data-pending]")).to_have_text("0")
    page.get_by_role("button", name="Back to the last one").click()
    task = frame(page, "1")
    expect(task.get_by_label("What is odd about it?")).to_have_value("half a sen")
    task.get_by_label("What is odd about it?").fill("a sentence")
    task.get_by_role("button", name="Submit").click()
    frame(page, "0")
    page.locator("summary", has_text="Skip").click()
    page.get_by_role("button", name="The picture is broken").click()
    expect(page.locator("[data-pending]")).to_have_text("0")
    server.client("sagemaker").stop_labeling_job(LabelingJobName=name)
    assert said(server, name)[0] == {"class": {"label": "ko"}, "note": "a sentence"}


def test_a_built_in_task_in_a_template_of_its_own(root: Visitor, server: Server) -> None:
    """Its element's answer is consolidated, the other fields are in the workers' answers."""
    name = templated(server, CLASSES, "ImageMultiClass", pictures=1)
    page = root.go(f"work/{name}")
    frame(page)
    press(page, "2")
    page.frame_locator("task-frame iframe").get_by_label("What is odd about it?").fill("the rim")
    press(page, "Enter")
    [line] = lines(server, name)
    assert line["label"] == 1 and line["label-metadata"]["class-name"] == "ko"
    plain = CLASSES.replace('<crowd-input name="note" label="What is odd about it?" required></crowd-input>', "")
    page = root.go(f"work/{templated(server, plain, 'ImageMultiClass', pictures=1)}")
    expect(page.locator("label-image-classes")).to_be_visible()  # it asks for nothing else: the work page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(browser: Browser, server: Server, theme: str) -> None:
    name = templated(server, FIELDS, texts=["It costs 5."])
    with visitor(browser, server, color_scheme=theme) as its:
        its.sign_in()
        page = its.go(f"work/{name}")
        frame(page)
        assert its.accessibility() == []
        inner = page.frames[1]
        inner.evaluate(AXE.read_text())
        found = inner.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert [
            (rule["id"], node["target"])
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ] == []
