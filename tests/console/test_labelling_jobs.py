"""Labelling jobs in the console: created by a form, watched while people label, their items and workers looked at."""

import json
import random
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.console_jobs import code_of, post, run_code, watcher
from tests.support.labelling import (
    bucket_of,
    claim,
    create,
    ended,
    labeling_job,
    picture,
    put_lines,
    say,
    wait,
    worker,
)
from tests.support.unique import unique
from tests.support.workforces import team_of

from tobo.console.labelling_form import categories_of, request_of
from tobo.console.labelling_items import drawing, in_words
from tobo.console.screens.training_create import like
from tobo.console.screens.training_create import request_of as training_request
from tobo.kit.fault import Fault

ODD = "<img src=x onerror=alert(1)>"
"""A class whose name is full of markup."""

TEAMLESS = ("af-south-1", "ap-south-2", "ca-west-1", "il-central-1", "me-south-1", "ap-southeast-7")
"""Regions in which no other test makes a team, and buckets may lie."""

FORM = {
    "name": "j",
    "task": "ImageMultiClass",
    "workers": "2",
    "seconds": "60",
    "title": "Whole?",
    "classes": "ok\n\nko",
}


def test_the_form_asks_what_is_filled_in() -> None:
    told = json.loads(categories_of({**FORM, "review": "0,7", "instructions": "Look.", "consolidation": "majority"}))
    assert [one["label"] for one in told["labels"]] == ["ok", "ko"]
    assert told["review"] == {"below": 0.7} and told["consolidation"] == "majority"
    helped = {**FORM, "learn": "on", "accuracy": "97"}
    assert json.loads(categories_of(helped))["machine"] == {"accuracy": 0.97}
    arn = request_of(helped, "eu-west-1", "s")["LabelingJobAlgorithmsConfig"]["LabelingJobAlgorithmSpecificationArn"]
    assert arn.startswith("arn:aws:sagemaker:eu-west-1:") and arn.endswith("/image-classification")
    boxes = {**helped, "task": "BoundingBox"}
    assert "machine" not in json.loads(categories_of(boxes))
    assert "LabelingJobAlgorithmsConfig" not in request_of(boxes, "r", "s")
    asked = request_of(FORM, "eu-west-1", "s3://b/c.json")
    human = asked["HumanTaskConfig"]
    assert human["PreHumanTaskLambdaArn"] == "arn:aws:lambda:eu-west-1:432418664414:function:PRE-ImageMultiClass"
    assert (human["NumberOfHumanWorkersPerDataObject"], human["TaskDescription"]) == (2, "Whole?")
    assert asked["LabelAttributeName"] == "label"
    masks = {name: request_of({**FORM, "task": name}, "r", "s")["LabelAttributeName"] for name in MASKS}
    assert masks == MASKS


def test_a_form_of_ones_own_needs_no_classes() -> None:
    fields = {**FORM, "task": "PassThrough", "classes": "", "template": "s3://b/task.liquid.html"}
    assert categories_of(fields) is None
    asked = request_of(fields, "r", None)
    assert "LabelCategoryConfigS3Uri" not in asked
    assert asked["HumanTaskConfig"]["UiConfig"] == {"UiTemplateS3Uri": "s3://b/task.liquid.html"}
    assert asked["HumanTaskConfig"]["PreHumanTaskLambdaArn"].endswith(":PRE-PassThrough")
    assert in_words({"answerContent": {"label": "x"}}) == '{"label": "x"}'


MASKS = {
    "SemanticSegmentation": "label-ref",
    "AdjustmentSemanticSegmentation": "label-ref",
    "VerificationSemanticSegmentation": "label",
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"classes": " "}, "There is no class"),
        ({"review": "half"}, "'half' is no number"),
        ({"learn": "on", "accuracy": "all"}, "Right labels: 'all'"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused(changed: dict[str, str], said: str) -> None:
    with pytest.raises(Fault, match=said):
        categories_of({**FORM, **changed})


def test_answers_in_words_and_outlines() -> None:
    size = {"inputImageProperties": {"width": 64, "height": 48}}
    boxes = {"boundingBoxes": [{"label": "ko", "left": 1, "top": 2, "width": 3, "height": 4}], **size}
    corners = {
        "polygons": [{"label": "ok", "vertices": [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 5, "y": 7}]}],
        **size,
    }
    assert in_words({"labels": ["ok", "ko"]}) == "ok, ko" and in_words({"labels": []}) == "none"
    assert in_words(boxes) == "1 box: ko" and in_words({"boundingBoxes": []}) == "0 boxes"
    assert drawing(boxes) == {"width": 64, "height": 48, "outlines": [("ko", "1,2 4,2 4,6 1,6")]}
    assert (drawing(corners) or {})["outlines"] == [("ok", "1,1 9,1 5,7")]
    assert drawing({"label": "ok"}) is None


def test_the_form_of_a_training_takes_an_augmented_manifest() -> None:
    fields = {
        "name": "t", "attributes": "source-ref, label", "channel.train": "s3://b/out/output.manifest",
        "channel.validation": "s3://b/validation/", "instance_count": "1", "volume": "1", "seconds": "60",
    }  # fmt: skip
    asked = training_request(fields)
    train, validation = (one["DataSource"]["S3DataSource"] for one in asked["InputDataConfig"])
    assert train == {
        "S3DataType": "AugmentedManifestFile",
        "S3Uri": "s3://b/out/output.manifest",
        "AttributeNames": ["source-ref", "label"],
    }
    assert validation == {"S3DataType": "S3Prefix", "S3Uri": "s3://b/validation/"}
    [cloned] = like(asked, training_request({**fields, "channel.validation": "", "attributes": "source-ref kind"}))[
        "InputDataConfig"
    ][:1]
    assert cloned["DataSource"]["S3DataSource"]["AttributeNames"] == ["source-ref", "kind"]


@needs_chromium
def test_from_the_form_over_peoples_answers_to_the_form_of_a_training(root: Visitor, server: Server) -> None:
    bucket, name, copied = bucket_of(server, 3), unique("clicked"), unique("copied")
    team_of(server)
    page = root.go("labeling-jobs")
    page.get_by_role("link", name="Create labelling job").first.click()
    page.fill("[name=name]", copied)
    page.fill("[name=source]", f"s3://{bucket}/photos/")
    page.fill("[name=title]", f"Whole? {ODD}")
    page.fill("[name=classes]", f"ok\n{ODD}")
    page.click("[data-code-of-form]")
    page.wait_for_selector("dialog#code[open]")
    run_code(server, code_of(root))
    page.keyboard.press("Escape")
    page.fill("[name=name]", name)
    page.click("button[type=submit]:has-text('Create labelling job')")
    page.wait_for_url(f"**/labeling-jobs/{name}")
    sagemaker = server.client("sagemaker")
    theirs = sagemaker.describe_labeling_job(LabelingJobName=copied)
    job = wait(server, name, lambda job: job["LabelingJobStatus"] == "InProgress")
    for member in ("HumanTaskConfig", "InputConfig", "OutputConfig", "LabelAttributeName", "RoleArn"):
        assert theirs[member] == job[member]

    expect(page.locator("#progress-words")).to_have_text("0 of 3 labelled")
    expect(page.get_by_role("link", name="Label now")).to_have_attribute("href", f"/_tobo/console/work/{name}")
    page.evaluate("window.here = true")
    its, arn = worker(server), job["LabelingJobArn"]
    tasks = claim(its, arn, 3)
    say(its, arn, tasks[0], {"label": ODD})
    expect(page.locator("#progress-words")).to_have_text("1 of 3 labelled", timeout=30_000)
    for task in tasks[1:]:
        say(its, arn, task, {"label": "ok"})
    expect(page.locator(".head .badge")).to_have_text("Completed", timeout=60_000)
    expect(page.locator("#progress-words")).to_have_text("3 of 3 labelled")
    expect(page.locator(".items li").first).to_contain_text(ODD)
    assert page.evaluate("window.here")  # all of it without loading the page again
    assert page.locator("main img[src=x]").count() == 0
    page.get_by_role("link", name="Train on this output").click()
    output = sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobOutput"]["OutputDatasetS3Uri"]
    expect(page.locator("[name='channel.train']")).to_have_value(output)
    expect(page.locator("[name=attributes]")).to_have_value("source-ref, label")
    expect(page.locator("[name='hyper.num_classes']")).to_have_value("2")
    expect(page.locator("[name='hyper.num_training_samples']")).to_have_value("3")


@needs_chromium
def test_the_form_makes_the_first_team_and_offers_it_from_then_on(root: Visitor, server: Server) -> None:
    region, name, bucket = random.choice(TEAMLESS), unique("first"), bucket_of(server, 1)
    root.context.add_cookies([{"name": "tobo_region", "value": region, "url": server.endpoint}])
    page = root.go("labeling-jobs/create")
    page.fill("[name=new_team]", "belt")
    for field, text in {"name": name, "source": f"s3://{bucket}/photos/", "title": "Whole?", "classes": "ok"}.items():
        page.fill(f"[name={field}]", text)
    page.fill("[name=attribute]", "source")
    page.click("button[type=submit]:has-text('Create labelling job')")
    expect(page.locator("main form")).to_contain_text(
        "which manifests use themselves"
    )  # the team is there all the same
    page.fill("[name=attribute]", "label")
    page.click("button[type=submit]:has-text('Create labelling job')")
    page.wait_for_url(f"**/labeling-jobs/{name}")
    sagemaker = server.client("sagemaker", region=region)
    team = sagemaker.describe_workteam(WorkteamName="belt")["Workteam"]["WorkteamArn"]
    job = sagemaker.describe_labeling_job(LabelingJobName=name)
    assert job["HumanTaskConfig"]["WorkteamArn"] == team
    page = root.go("labeling-jobs/create")
    expect(page.locator("[name=team]")).to_have_value(team)
    ours = ("400",)  # the refusal
    root.troubles[:] = [one for one in root.troubles if not any(code in one for code in ours)]


@pytest.fixture(scope="module")
def disputed(server: Server) -> str:
    """A job with a conflict, something labelled, something broken, something open; a known answer; odd names."""
    bucket = bucket_of(
        server, {f"photos/{n}.png": picture((40 * n, 90, 90)) for n in range(5)} | {"photos/5.png": b"no"}
    )
    lines: list[dict[str, Any]] = [{"source-ref": f"s3://{bucket}/photos/{n}.png"} for n in range(6)]
    lines[1]["label-gold"] = ODD
    request = labeling_job(
        server, bucket, labels=("ok", ODD), workers=2, review=0.9, source=put_lines(server, bucket, lines)
    )
    arn = create(server, request)
    for number in range(2):
        its = worker(server)
        for task in claim(its, arn, 6):
            at = task["ItemNumber"]
            if at == 5:
                its.skip_task(LabelingJobArn=arn, ItemNumber=at, Reason="not shown", Broken=True)
            elif at == 0 or (at < 4 and number == 0):
                say(its, arn, task, {"label": ("ok", ODD)[number]})
            elif at < 4:
                say(its, arn, task, {"label": "ok"})
    return str(request["LabelingJobName"])


@needs_chromium
def test_items_what_was_said_and_who_is_good(root: Visitor, server: Server, disputed: str) -> None:
    page = root.go(f"labeling-jobs/{disputed}")
    expect(page.get_by_role("link", name="Review 1 conflict")).to_have_attribute(
        "href", f"/_tobo/console/work/{disputed}/review"
    )
    assert page.locator(".items li").count() == 6
    page.get_by_role("link", name="Labelled 3").click()
    assert page.locator(".items li").count() == 3
    assert page.locator("section:has(h2:text('Workers')) tbody tr").count() == 2
    expect(page.locator("section:has(h2:text('Workers'))")).to_contain_text("Krippendorff")
    expect(page.locator("section:has(h2:text('Workers')) tbody tr").first).to_contain_text("0 of 1")
    page.get_by_role("link", name="Conflicts 1").click()
    page.locator(".items a").click()
    expect(page.locator("h1")).to_have_text("Item 0")
    assert page.locator(".answers strong").all_inner_texts() == ["ok", ODD]
    assert page.locator("main img[src=x]").count() == 0
    found = page.evaluate("fetch(location.pathname.replace('/0', '/99')).then(answer => answer.status)")
    assert found == 404
    ours = ("404", "415")  # what was just asked for, and the picture that is none
    root.troubles[:] = [one for one in root.troubles if not any(code in one for code in ours)]


@needs_chromium
def test_a_queue_becomes_a_job_and_a_job_is_stopped(root: Visitor, server: Server) -> None:
    bucket, queue = bucket_of(server, 2), unique("queue")
    team_of(server)
    root.go("")
    items = json.dumps([[f"s3://{bucket}/photos/{n:03}.png", 0, "ok", 0.5, "ko"] for n in range(2)])
    assert post(root, "labelling/queues", {"queue": queue, "items": items})[0] in (204, 303)
    page = root.go(f"labelling/{queue}")
    page.get_by_role("link", name="Label these").click()
    expect(page.locator("[name=source]")).to_have_value(
        f"s3://sagemaker-us-east-1-{server.account}/labelling/queue/{queue}.manifest"
    )
    page.fill("[name=title]", "Whole?")
    page.fill("[name=classes]", "ok\nko")
    page.click("button[type=submit]:has-text('Create labelling job')")
    page.wait_for_url(f"**/labeling-jobs/{queue}-labels")
    expect(page.locator("#progress-words")).to_have_text("0 of 2 labelled", timeout=30_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator(".head .badge")).to_have_text("Stopped", timeout=30_000)
    assert ended(server, f"{queue}-labels")["LabelingJobStatus"] == "Stopped"
    page = root.go(f"labeling-jobs?name={queue}&status=Stopped")
    expect(page.locator("tbody tr")).to_contain_text("0 of 2")


@needs_chromium
def test_who_may_only_look_can_neither_create_nor_stop_nor_see_answers(
    browser: Browser, server: Server, disputed: str
) -> None:
    with watcher(browser, server) as its:
        page = its.go(f"labeling-jobs/{disputed}")
        expect(page.locator("#progress-words")).to_have_text("3 of 6 labelled")
        assert page.locator("main form").count() == 0
        assert page.locator("main a:has-text('Label now'), main a:has-text('Review')").count() == 0
        assert page.locator(".items").count() == 0
        expect(page.locator("main")).to_contain_text("tobo-labeling:ListItems")
        assert its.go("labeling-jobs").locator("main a:has-text('Create labelling job')").count() == 0
        status, said = post(its, f"labeling-jobs/{disputed}/stop", {"any": "1"})
        assert status in (400, 403) and "AccessDenied" in said
        assert its.troubles == []


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(browser: Browser, server: Server, disputed: str, theme: Any) -> None:
    with visitor(browser, server, color_scheme=theme) as its:
        its.sign_in()
        for path in ("", "/create", f"/{disputed}", f"/{disputed}?state=failed", f"/{disputed}/items/0"):
            its.go(f"labeling-jobs{path}")
            its.page.wait_for_load_state("networkidle") if "items" in path else its.page.wait_for_selector("main .card")
            assert its.accessibility() == [], path
        assert [one for one in its.troubles if "415" not in one] == []  # one of the pictures is none
