"""Human review in a real browser: a flow definition by click, a loop by hand, and what people said of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.human_loops import Review, make_review
from tests.support.labelling import claim, labeler, picture, say
from tests.support.unique import unique

pytestmark = needs_chromium

REGION = "ca-west-1"
ODD = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def review(server: Server) -> Review:
    return make_review(server, REGION)


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Visitor]:
    with visitor(browser, server, color_scheme=request.param) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


def go(its: Visitor, path: str) -> Page:
    its.context.add_cookies([{"name": "tobo_region", "value": REGION, "url": its.server.endpoint}])
    return its.go(path)


def test_a_flow_definition_and_a_loop_by_click(root: Visitor, review: Review) -> None:
    name, loop = unique("whole"), unique("first")
    page = go(root, "flow-definitions/create")
    page.fill("[name=name]", name)
    page.fill("[name=title]", ODD)
    page.click("[data-code-of-form]")
    code = page.wait_for_selector("#code pre:has-text('create_flow_definition')").inner_text()
    assert code.index("create_human_task_ui(") < code.index("create_flow_definition(")
    assert review.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"] == []
    page.keyboard.press("Escape")
    page.click("button:has-text('Create flow definition')")
    page.wait_for_selector(f"text=Flow definition {name} was created")
    page.wait_for_selector(".badge:has-text('Active')")
    told = review.sagemaker.describe_flow_definition(FlowDefinitionName=name)
    assert told["HumanLoopConfig"]["TaskTitle"] == ODD and told["HumanLoopConfig"]["TaskCount"] == 1
    assert page.locator(f"text={ODD}").count() >= 1
    page.click("summary:has-text('Start a loop by hand')")
    page.fill("[name=loop]", loop)
    page.fill("[name=input]", "{half")
    page.click("button:has-text('Start loop')")
    page.wait_for_selector(".form-refusal:has-text('is not JSON')")
    root.troubles.clear()  # the refusal
    page.fill("[name=input]", json.dumps({"odd": ODD}))
    page.click("button:has-text('Start loop')")
    page.wait_for_selector(f"text=Human loop {loop} has begun")
    page.wait_for_selector("text=People are asked")
    page.click("button:has-text('Stop')")
    page.click("#ask button[value=yes]")
    page.wait_for_selector(".badge:has-text('Stopped')")
    page.click("button:has-text('Delete')")
    page.click("#ask button[value=yes]")
    page.wait_for_selector(f"text=Human loop {loop} was deleted")
    page.click("button:has-text('Delete')")
    page.click("#ask button[value=yes]")
    page.wait_for_selector("text=as soon as nobody works for it any more")
    page.wait_for_selector(f"td a:has-text('{name}')", state="detached")


def test_a_flow_definition_and_its_loops_are_shown(themed: Visitor, review: Review) -> None:
    bucket, s3 = review.bucket, review.server.client("s3", region=REGION)
    s3.put_object(Bucket=bucket, Key="marble.png", Body=picture())
    flow = review.flow(TaskTitle="Whole or broken?", TaskKeywords=["marbles"])
    done = review.loop(flow, {"taskObject": f"s3://{bucket}/marble.png", "prediction": [0.55, 0.45], "odd": ODD})
    worker: Any = labeler(review.server, region=REGION)
    [task] = claim(worker, flow)
    name = flow.rsplit("/", 1)[-1]
    page = go(themed, f"flow-definitions/{name}/loops/{done}")
    page.wait_for_selector("text=People are asked")
    say(worker, flow, task, {"class": {"label": ODD}})
    page.wait_for_selector("h2:has-text('What was said')")  # without being loaded again
    assert json.loads(page.locator(".said-by pre code").inner_text()) == {"class": {"label": ODD}}
    page.wait_for_function("document.querySelector('img.preview').naturalWidth > 0")
    assert themed.accessibility() == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    review.loop(flow)
    page = go(themed, f"flow-definitions/{name}")
    page.wait_for_selector("td .badge:has-text('InProgress')")
    assert page.locator("td .badge").all_inner_texts() == ["InProgress", "Completed"]
    for summary in page.locator("details.card > summary").all():
        summary.click()
    assert themed.accessibility() == []
    page = go(themed, "flow-definitions")
    page.click(f"td >> text={name}")
    page.wait_for_selector(f"h1:has-text('{name}')")
    go(themed, "flow-definitions/create")
    assert themed.accessibility() == []


def test_an_endpoint_is_told_to_ask(root: Visitor, review: Review) -> None:
    flow, fleet = review.flow(), unique("line")
    review.sagemaker.create_device_fleet(
        DeviceFleetName=fleet, OutputConfig={"S3OutputLocation": f"s3://{review.bucket}/home"}
    )
    page = go(root, f"flow-definitions/{flow.rsplit('/', 1)[-1]}")
    page.click("summary:has-text('Let an endpoint or a fleet ask')")
    page.select_option("[name=who]", f"device-fleet/{fleet}")
    page.fill("[name=below]", "0,7")
    page.click("button:has-text('Let it ask')")
    page.wait_for_selector(f"text=People look at what {fleet} is unsure of")
    arn = review.sagemaker.describe_device_fleet(DeviceFleetName=fleet)["DeviceFleetArn"]
    tags = {tag["Key"]: tag["Value"] for tag in review.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {"tobo:review-flow": flow, "tobo:review-below": "0.7", "tobo:review-share": "0.01"}


def test_who_may_only_look_changes_nothing(browser: Browser, server: Server, review: Review) -> None:
    flow = review.flow()
    name, loop = flow.rsplit("/", 1)[-1], review.loop(flow)
    with visitor(browser, server) as its:
        its.sign_in(*limited_user(server, unique("looker"), READ_ONLY))
        page = go(its, f"flow-definitions/{name}")
        page.wait_for_selector(f"td >> text={loop}")
        assert page.locator("main form").count() == 0
        page = go(its, f"flow-definitions/{name}/loops/{loop}")
        page.wait_for_selector("text=People are asked")
        assert page.locator("main form").count() == 0
        go(its, "flow-definitions/none").wait_for_selector("text=There is no flow definition")
