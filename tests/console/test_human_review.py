"""Human review in a real browser: a flow definition by click, a loop by hand, and what people said of it."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.conftest import Server
from tests.console.test_task_frames import frame
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.human_loops import Review, make_review
from tests.support.labelling import claim, labeler, picture, say
from tests.support.unique import unique
from tests.support.workforces import PASSWORD

pytestmark = needs_chromium

REGION = "ca-west-1"
AS_IN_AWS_EXAMPLES = """<crowd-form>
  <crowd-classifier-multi-select name="kinds" header="Which?" exclusion-category="{ text: 'None of the above' }"
    categories="['Positive', 'Don\\'t know, &quot;really&quot;']"></crowd-classifier-multi-select>
  <input name="a" aria-label="a">
</crowd-form>"""
"""Attributes that are no JSON, strictly."""

ODD = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def review(server: Server) -> Review:
    return make_review(server, REGION)


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


def test_a_person_of_the_team_looks_at_loops(browser: Browser, server: Server, review: Review) -> None:
    """Signs in, finds them among the work, answers one, skips one, and leaves a third."""
    person, flow = review.pool.person(unique("ann"), "marbles"), review.flow(TaskTitle="Whole or broken?")
    name = flow.rsplit("/", 1)[-1]
    review.server.client("s3", region=REGION).put_object(Bucket=review.bucket, Key="seen.png", Body=picture())
    content = {"taskObject": f"s3://{review.bucket}/seen.png", "labels": ["ok", "ko"], "header": ODD}
    first, second = review.loop(flow, content), review.loop(flow, content)
    with visitor(browser, server) as its:
        page = go(its, "enter")
        page.get_by_text("I am here to label").click()
        page.fill("[name=username]", person)
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Sign in to label").click()
        page.get_by_role("link", name=f"Look at {name}").click()
        task = frame(page)
        assert its.accessibility() == []
        task.get_by_text(ODD).wait_for()
        task.locator("img").first.evaluate("image => image.decode()")
        assert page.locator("[data-undo]").count() == 0
        number = page.evaluate("document.querySelector('work-bench').dataset.item")
        task.get_by_role("option", name="ko").click()
        task.get_by_role("button", name="Submit").click()
        assert review.wait_loop(first)["HumanLoopStatus"] == "Completed"
        frame(page, number)
        page.click("summary:has-text('Skip')")
        page.click("button:has-text('The instructions do not say')")
        page.wait_for_function("document.querySelector('[data-own]').innerText === '1'")
        assert review.a2i.describe_human_loop(HumanLoopName=second)["HumanLoopStatus"] == "InProgress"
        assert its.troubles == []
        its.go("work").wait_for_selector("dd:has-text('1 of 2')")
        assert its.go(f"flow-definitions/{name}").locator("h1").inner_text() != name  # asking is not his
    [answer] = review.output(first)["humanAnswers"]
    assert answer["answerContent"] == {"class": {"label": "ko"}}
    identity = answer["workerMetadata"]["identityData"]
    user = review.pool.cognito.admin_get_user(UserPoolId=review.pool.id, Username=person)
    [sub] = [one["Value"] for one in user["UserAttributes"] if one["Name"] == "sub"]
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{review.pool.id}"
    assert identity == {"identityProviderType": "Cognito", "issuer": issuer, "sub": sub}


def test_a_loop_is_stopped_under_who_looks_at_it_and_a_page_that_is_gone_is_told(root: Visitor, review: Review) -> None:
    ui = review.sagemaker.create_human_task_ui(
        HumanTaskUiName=unique("gone"), UiTemplate={"Content": AS_IN_AWS_EXAMPLES}
    )["HumanTaskUiArn"]
    flow = review.flow(HumanTaskUiArn=ui)
    loop = review.loop(flow)
    page = go(root, f"reviews/{flow.rsplit('/', 1)[-1]}")
    task = frame(page)
    review.a2i.stop_human_loop(HumanLoopName=loop)
    assert review.a2i.describe_human_loop(HumanLoopName=loop)["HumanLoopStatus"] == "Stopping"
    task.get_by_role("option", name='Don\'t know, "really"').click()
    assert task.get_by_role("option").all_inner_texts()[-1].endswith("None of the above")
    task.locator("[name=a]").fill("seen")
    task.get_by_role("button", name="Submit").click()  # who is at it may finish
    assert review.wait_loop(loop)["HumanLoopStatus"] == "Stopped"
    said = {"kinds": {"labels": ['Don\'t know, "really"']}, "a": "seen"}
    assert review.output(loop)["humanAnswers"][0]["answerContent"] == said
    page.wait_for_selector("text=What a model is unsure of comes here by itself")
    review.sagemaker.delete_human_task_ui(HumanTaskUiName=ui.rsplit("/", 1)[-1])
    review.loop(flow)
    frame(page).get_by_text("There is no human task UI").wait_for()
