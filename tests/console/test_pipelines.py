"""The loop by click: improve a model, label, watch the steps, look at the comparison, approve, update the endpoint."""

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium
from tests.support.console_jobs import code_of, watcher
from tests.support.jobs import photo
from tests.support.loop import answer_rightly, ask_people, deploy, learn_it_wrong
from tests.support.pipelines import create, definition, start, step
from tests.support.unique import unique

pytestmark = [needs_chromium, pytest.mark.xdist_group("training")]


@pytest.fixture
def server(warm_server: Server) -> Server:
    return warm_server


def test_the_loop_by_click(themed: Visitor) -> None:
    server, page = themed.server, themed.page
    sagemaker, job = server.client("sagemaker"), learn_it_wrong(server)
    deploy(sagemaker, job, job)
    labels, arn = ask_people(server, job.lower())
    # the form
    themed.go(f"training-jobs/{job}")
    page.get_by_role("link", name="Improve this model").click()
    name = unique("Better")
    page.fill("[name=name]", name)
    page.fill("[name=held_out]", f"s3://{job.lower()}/held-out/")
    assert themed.accessibility() == []
    page.get_by_role("button", name="Create the pipeline").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    # what a new labelling job may ask for
    themed.go("labeling-jobs/create")
    fields = {"name": unique("then"), "source": f"s3://{job.lower()}/frames/", "title": "Which?", "classes": "ko\nok"}
    for field, value in fields.items():
        page.fill(f"[name={field}]", value)
    page.get_by_label("Then").select_option(name)
    page.get_by_role("button", name="Create labelling job").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(fields["name"])
    [waiting] = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=waiting["PipelineExecutionArn"])
    assert {"Name": "LabelingJob", "Value": fields["name"]} in given["PipelineParameters"]
    # started from the labelling job, before anybody has labelled
    themed.go(f"labeling-jobs/{labels}")
    page.get_by_role("link", name=f"Improve by {name}").click()
    expect(page.get_by_label("Labelling job")).to_have_value(labels)
    assert themed.accessibility() == []
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".steps li", has_text="Labels")).to_contain_text("Waits for people to label.")
    answer_rightly(server, arn)
    expect(page.locator(".steps li", has_text="Propose").first).to_contain_text("Succeeded", timeout=120_000)
    expect(page.locator(".steps li", has_text="Labels").get_by_role("link")).to_have_text(labels)
    comparison = page.locator("#comparison")
    expect(comparison).to_contain_text("The new model is better: of 20 pictures on which exactly one is right")
    expect(comparison.locator("image-grid img").first).to_be_visible()
    assert themed.accessibility() == []
    # the registry
    page.locator(".steps li", has_text="Propose").get_by_role("link").click()
    version = page.locator("#version-2")
    expect(version).to_contain_text("The new model is better")
    expect(version.get_by_role("link", name="Comparison with the version before")).to_be_visible()
    version.get_by_role("button", name="Approve").click()
    expect(version.get_by_role("button", name="Update the endpoint")).to_be_visible()
    assert themed.accessibility() == []
    version.get_by_label("Endpoint", exact=True).select_option(job)
    version.get_by_role("button", name="Update the endpoint").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(job)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=job, WaiterConfig={"Delay": 1})
    answer = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=job, ContentType="application/x-image", Body=photo(101)
    )
    scores = [float(score) for score in answer["Body"].read().decode().strip("[]").split(",")]
    assert scores[1] > scores[0]  # an odd number is ok, which the first model took for ko
    sagemaker.delete_endpoint(EndpointName=job)


def test_failed_stopped_and_tried_again(browser: Browser, themed: Visitor) -> None:
    server, page, bucket = themed.server, themed.page, unique("steps")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key="told.json", Body=b'{"n": 1}')
    sagemaker = server.client("sagemaker")
    value = {"Std:JsonGet": {"S3Uri": f"s3://{bucket}/told.json", "Path": "n"}}
    test = {"Type": "Equals", "LeftValue": value, "RightValue": 2}
    ask, no = step("Ask", "Callback", {}), step("No", "Fail", {"ErrorMessage": "<b>one</b>"})
    two = step("Two", "Condition", {"Conditions": [test], "IfSteps": [ask], "ElseSteps": [no]})
    text = definition(two, parameters={"Colour": ("String", None), "Size": ("Integer", 3)})
    name = create(sagemaker, text)
    themed.go("pipelines")
    page.get_by_role("link", name=name).click()
    page.get_by_label("Colour").fill("red")
    page.get_by_role("button", name="As code").last.click()
    expect(page.locator("dialog#code pre").first).to_contain_text("start_pipeline_execution")
    assert '"Value": "red"' in code_of(themed)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".notice.bad")).to_contain_text("'No' failed: <b>one</b>")
    expect(page.locator(".steps li", has_text="Two").first).to_contain_text("It does not hold.")
    assert themed.accessibility() == []
    arn = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"][0]["PipelineExecutionArn"]
    parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {one["Name"]: one["Value"] for one in parameters} == {"Colour": "red", "Size": "3"}
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".steps li", has_text="No").last).to_contain_text("Failed")
    # a step that waits for somebody's answer, stopped
    server.client("s3").put_object(Bucket=bucket, Key="told.json", Body=b'{"n": 2}')
    themed.go(f"pipelines/{name}/{start(sagemaker, name, Colour='blue').split('/')[-1]}")
    expect(page.locator(".steps li", has_text="Ask")).to_contain_text("Waits for an answer to the token")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("[data-live=badge]")).to_contain_text("Stopped")
    # who may only look has no buttons, and a form that is refused says so
    with watcher(browser, server) as its:
        shown = its.go(f"pipelines/{name}")
        expect(shown.get_by_role("link", name=arn.split("/")[-1])).to_be_visible()
        assert shown.get_by_role("button", name="Start", exact=True).count() == 0
        assert shown.get_by_role("button", name="Delete").count() == 0
    themed.go(f"pipelines/{name}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("tr", has_text=name)).to_have_count(0)


def test_the_form_says_what_is_wrong(themed: Visitor) -> None:
    page = themed.page
    themed.go("pipelines/improve")
    page.fill("[name=training_job]", "no-such-job")
    page.fill("[name=name]", unique("p"))
    page.fill("[name=held_out]", "s3://b/h/")
    page.get_by_role("button", name="Create the pipeline").click()
    expect(page.get_by_text("Requested resource not found.")).to_be_visible()
    themed.troubles.clear()  # the browser logs every 400
