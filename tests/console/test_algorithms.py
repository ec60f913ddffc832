"""Algorithms in the console: their list and page, how a validation went, and jobs that name one going on from there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.algorithms import (
    algorithm,
    await_algorithm,
    await_package,
    named_job,
    transform_definition,
    validation,
)
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.jobs import IMAGE, ROLE, upload_photos, wait
from tests.support.unique import unique

pytestmark = [needs_chromium, pytest.mark.xdist_group("training")]


@pytest.fixture
def worker(browser: Browser, warm_server: Server) -> Iterator[Visitor]:
    with visitor(browser, warm_server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


@pytest.fixture(scope="module")
def bucket(warm_server: Server) -> str:
    name = unique("algorithms")
    upload_photos(warm_server, name)
    return name


def test_an_algorithm_is_looked_at_and_deleted(worker: Visitor) -> None:
    page, sagemaker, name = worker.page, worker.server.client("sagemaker"), unique("shown")
    specification = validation("no-such-bucket")
    asked = algorithm(name, AlgorithmDescription="<b>whole</b>", ValidationSpecification=specification)
    sagemaker.create_algorithm(**asked)
    await_algorithm(sagemaker, name)
    worker.go("algorithms")
    row = page.locator(f"#row-{name}")
    expect(row).to_contain_text("Failed")
    row.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator(".lead")).to_have_text("<b>whole</b>")
    proof = page.locator("[data-live=validation]")
    expect(proof.locator(".badge")).to_have_text(["Failed", "NotStarted"])
    expect(proof).to_contain_text("no-such-bucket")
    rate = page.get_by_role("row").filter(has_text="learning_rate")
    expect(rate).to_contain_text("0.00001 to 0.5")
    expect(page.get_by_role("row").filter(has_text="num_classes")).to_contain_text("required")
    proof.get_by_role("link").click()
    expect(page.locator("h1")).to_contain_text(f"{name}-validation-training")
    worker.go(f"algorithms/{name}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("h1")).to_have_text("Algorithms")
    expect(page.locator(f"#row-{name}")).to_have_count(0)


def test_a_version_tells_its_validation(worker: Visitor, bucket: str) -> None:
    """One that has failed is offered to nobody, although it is approved."""
    page, sagemaker, group = worker.page, worker.server.client("sagemaker"), unique("proved")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    worker.server.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=b"no archive")
    profile = {"ProfileName": "photos", "TransformJobDefinition": transform_definition(bucket)}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}]},
        ValidationSpecification={"ValidationRole": ROLE, "ValidationProfiles": [profile]},
    )["ModelPackageArn"]
    told = await_package(sagemaker, arn)
    [status] = told["ModelPackageStatusDetails"]["ValidationStatuses"]
    worker.go(f"model-packages/{group}")
    card = page.locator("#version-1")
    expect(card.locator("header .badge")).to_have_text(["Approved", "Failed"])
    expect(card).to_contain_text(status["FailureReason"])
    expect(card.get_by_role("link", name=status["Name"])).to_be_visible()
    assert card.get_by_role("button", name="Make it a model").count() == 0
    assert card.get_by_role("link", name="Compile for devices").count() == 0


def test_a_job_of_an_algorithm_is_registered_and_cloned(worker: Visitor, bucket: str) -> None:
    """What serves its model is the algorithm's; its clone names the image, with what the algorithm has filled in."""
    page, sagemaker = worker.page, worker.server.client("sagemaker")
    its, name, group = unique("source"), unique("named"), unique("of-algorithm")
    arn = sagemaker.create_algorithm(**algorithm(its))["AlgorithmArn"]
    sagemaker.create_training_job(**named_job(name, bucket, arn))
    assert wait(sagemaker, name)["TrainingJobStatus"] == "Completed"
    worker.go(f"training-jobs/{name}")
    expect(page.locator("body")).to_contain_text(arn)
    page.get_by_role("link", name="Register").click()
    page.fill("[name=group]", group)
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#version-1")).to_contain_text(IMAGE)
    worker.go(f"training-jobs/create?clone={name}")
    expect(page.locator("[name=image]")).to_have_value(IMAGE)
    copy = unique("copy")
    page.fill("[name=name]", copy)
    page.get_by_role("button", name="Create").click()
    expect(page.locator("h1")).to_have_text(copy)
    made = sagemaker.describe_training_job(TrainingJobName=copy)
    assert made["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert "AlgorithmName" not in made["AlgorithmSpecification"]
    sagemaker.stop_training_job(TrainingJobName=copy)
