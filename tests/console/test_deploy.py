"""Deploying by click: an endpoint and photos dropped on it, models, batch transforms, compilation."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.console import Client, photos, run
from tests.support.unique import unique

from tobo.console.screens.training_create import request_of

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def trained(warm_server: Server) -> str:
    """A training job that has learnt red from green; the bucket is called the same."""
    name = unique("trained")
    photos(warm_server, name, 12)
    fields = {
        "name": name, "role": f"arn:aws:iam::{warm_server.account}:role/any", "image": "image-classification:1",
        "channel.train": f"s3://{name}/train/", "channel.validation": f"s3://{name}/validation/", "output": f"s3://{name}/out",
        "hyper.num_classes": "2", "hyper.num_training_samples": "24", "hyper.epochs": "12", "hyper.num_layers": "20",
        "hyper.image_shape": "3,32,32", "hyper.mini_batch_size": "4", "instance_type": "ml.m5.large", "instance_count": "1",
        "volume": "1", "seconds": "600",
    }  # fmt: skip
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**request_of(fields))
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig={"Delay": 1})
    return name


@pytest.fixture
def worker(browser: Browser, warm_server: Server) -> Iterator[Visitor]:
    with visitor(browser, warm_server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


def picture(colour: tuple[int, int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(data, "PNG")
    return data.getvalue()


def test_a_training_job_is_deployed_asked_weighed_and_deleted(worker: Visitor, trained: str) -> None:
    name, page, sagemaker = unique("served"), worker.page, worker.server.client("sagemaker")
    worker.go(f"training-jobs/{trained}")
    page.get_by_role("link", name="Deploy", exact=True).click()
    expect(page.locator("#price")).to_contain_text("an hour")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url(f"**/endpoints/{name}")
    expect(page.locator(".head .badge")).to_have_text("InService", timeout=60_000)
    assert sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["ModelDataUrl"].endswith("model.tar.gz")
    drop = page.locator("drop-invoke input")
    drop.set_input_files({"name": "<b>green.png", "mimeType": "image/png", "buffer": picture((32, 202, 32))})
    expect(page.locator(".answer h3")).to_have_text("ok")
    assert page.locator(".answer .score").count() == 2
    drop_file(worker, picture((205, 32, 32)))
    expect(page.locator(".answer h3").first).to_have_text("ko")
    drop.set_input_files({"name": "<b>broken.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.locator(".answer .refusal")).to_contain_text("<b>broken.png")
    worker.troubles.clear()  # the browser logs the answer's status
    expect(page.locator("live-chart").nth(1).locator(".u-over")).to_be_visible(timeout=60_000)
    page.fill('[name="weight.AllTraffic"]', "0.5")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("#notices")).to_contain_text("changes its variants")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    assert sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]["DesiredWeight"] == 0.5
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("#notices")).to_contain_text(f"Endpoint {name} is being deleted")
    expect(page.locator("tbody tr", has_text=name)).to_have_count(0, timeout=60_000)


def drop_file(visit: Visitor, data: bytes) -> None:
    """A file let go over the page, as the browser tells it."""
    visit.page.evaluate(
        """async bytes => {
            const moved = new DataTransfer();
            moved.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"}));
            document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: moved, bubbles: true}));
        }""",
        list(data),
    )


def test_the_deploy_forms_code_makes_all_three(worker: Visitor, trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, page = unique("coded"), worker.go(f"endpoints/create?training_job={trained}")
    page.fill("[name=name]", name)
    page.locator("form.stack").get_by_role("button", name="As code").click()
    expect(page.locator("#code pre").first).to_contain_text("create_endpoint(")
    code = page.locator("#code pre").first.inner_text()
    for operation in ("create_model(", "create_endpoint_config(", "create_endpoint("):
        assert operation in code
    run(worker.server, code, monkeypatch)
    sagemaker = worker.server.client("sagemaker")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    sagemaker.delete_endpoint(EndpointName=name)


def model(server: Server, name: str, trained: str) -> None:
    sagemaker = server.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=trained)
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=job["RoleArn"],
        PrimaryContainer={"Image": "image-classification:1", "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
    )


def test_what_is_there_already_is_not_deployed_in_its_place(worker: Visitor, trained: str) -> None:
    name, sagemaker = unique("taken"), worker.server.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=trained)
    container = {"Image": "tobo-echo", "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=job["RoleArn"], PrimaryContainer=container)
    page = worker.go(f"endpoints/create?training_job={trained}")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Deploy").click()
    expect(page.locator(".form-refusal .refusal").last).to_contain_text(f"There is a model '{name}' already")
    worker.troubles.clear()


def test_an_endpoint_can_be_deployed_again_and_outlives_its_configuration(worker: Visitor, trained: str) -> None:
    name, sagemaker, page = unique("again"), worker.server.client("sagemaker"), worker.page
    model(worker.server, name, trained)
    other = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[other])
    for _ in range(2):
        worker.go(f"endpoints/create?model={name}")
        page.get_by_role("button", name="Deploy").click()
        page.wait_for_url(f"**/endpoints/{name}")
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == f"{name}-2"
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
        worker.go(f"endpoints/create?model={name}")
        page.get_by_role("button", name="Deploy").click()
        expect(page.locator(".form-refusal .refusal").last).to_contain_text("There is an endpoint")
        worker.troubles.clear()
        worker.go(f"endpoints/{name}")
        sagemaker.delete_endpoint(EndpointName=name)
        expect(page.locator("#notices .bad")).to_contain_text("cannot be looked at any more", timeout=60_000)
        worker.troubles.clear()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    sagemaker.delete_endpoint_config(EndpointConfigName=f"{name}-2")
    worker.go(f"endpoints/{name}")
    expect(page.locator("h1")).to_have_text(name)
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoint_is_paused_and_started_again_and_its_shadow_has_its_share(worker: Visitor, trained: str) -> None:
    name, sagemaker = unique("paused"), worker.server.client("sagemaker")
    model(worker.server, name, trained)
    machine = {"ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "a", "InitialVariantWeight": 3, **machine},
            {"VariantName": "b", "InitialVariantWeight": 1, **machine, "InitialInstanceCount": 2},
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    page = worker.go(f"endpoints/{name}")
    head = page.locator(".head .badge")
    expect(head).to_have_text("InService", timeout=60_000)
    expect(page.locator("#variant-a td").nth(4)).to_have_text("75 %")
    chart = page.locator("live-chart", has_text="Instances")
    chart.locator("details summary").click()
    expect(chart.locator("details tbody tr").first).to_contain_text("12", timeout=30_000)  # a has 1, b has 2
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("#notices")).to_contain_text("answers nothing until it is started again")
    expect(head).to_have_text(["InService", "Paused"], timeout=60_000)
    expect(page.locator("#variant-b td").nth(3)).to_have_text("0")
    expect(page.locator("#variant-a td").nth(4)).to_have_text("0 %")
    page.get_by_role("button", name="Start again").click()
    expect(head).to_have_text(["InService"], timeout=60_000)
    counts = {
        v["VariantName"]: v["DesiredInstanceCount"]
        for v in sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    }
    assert counts == {"a": 1, "b": 2}
    shadowed = f"{name}-2"
    sagemaker.create_endpoint_config(
        EndpointConfigName=shadowed,
        ProductionVariants=[{"VariantName": "a", "InitialVariantWeight": 2, **machine}],
        ShadowProductionVariants=[{"VariantName": "watching", "InitialVariantWeight": 0.5, **machine}],
    )
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=shadowed)
    expect(page.locator("#variant-watching")).to_contain_text("copies of 25 %", timeout=60_000)
    expect(page.locator("#variant-a td").nth(4)).to_have_text("100 %")
    worker.page.fill('[name="weight.watching"]', "1")
    expect(head).to_have_text(["InService"], timeout=60_000)
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("#variant-watching")).to_contain_text("copies of 50 %", timeout=60_000)
    sagemaker.delete_endpoint(EndpointName=name)


def test_what_is_typed_stays_while_the_page_changes(worker: Visitor, trained: str) -> None:
    name, sagemaker = unique("typed"), worker.server.client("sagemaker")
    model(worker.server, name, trained)
    variants = [
        {"VariantName": v, "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        for v in ("a", "b")
    ]
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    page = worker.go(f"endpoints/{name}")
    page.fill('[name="weight.a"]', "0.3")
    page.fill('[name="weight.b"]', "0.7")
    expect(page.locator(".head .badge")).to_have_text("InService", timeout=60_000)
    expect(page.locator("#variant-a td").nth(3)).to_have_text("1")
    assert [page.input_value(f'[name="weight.{v}"]') for v in ("a", "b")] == ["0.3", "0.7"]
    page.fill('[name="count.a"]', "1.5")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator(".form-refusal .refusal").last).to_contain_text("'1.5' is not a whole number")
    worker.troubles.clear()
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_model_scores_a_folder_and_the_page_tells_when_it_is_done(worker: Visitor, trained: str) -> None:
    name, page = unique("batch"), worker.page
    model(worker.server, name, trained)
    worker.go(f"models/{name}")
    page.get_by_role("link", name="Score in batch").click()
    for field, value in (
        ("name", name),
        ("input", f"s3://{trained}/validation/"),
        ("output", f"s3://{trained}/batch"),
        ("content_type", "image/png"),
    ):
        page.fill(f"[name={field}]", value)
    page.get_by_role("button", name="Create batch transform").click()
    page.wait_for_url(f"**/transform-jobs/{name}")
    expect(page.locator(".head .badge")).to_have_text("Completed", timeout=90_000)
    expect(page.get_by_role("link", name="Evaluate")).to_be_visible()
    found = worker.server.client("s3").list_objects_v2(Bucket=trained, Prefix="batch/")
    assert found["KeyCount"] == 4
    worker.go(f"models/{name}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("#notices")).to_contain_text("was deleted")


def test_a_model_is_compiled_and_its_certificate_shown(worker: Visitor, trained: str) -> None:
    name, page = unique("compiled"), worker.go(f"compilation-jobs/create?training_job={trained}")
    page.fill("[name=name]", name)
    page.fill("[name=target]", "ml_m5")
    page.fill("[name=output]", f"s3://{trained}/compiled")
    page.get_by_role("button", name="Compile").click()
    page.wait_for_url(f"**/compilation-jobs/{name}")
    expect(page.locator(".head .badge")).to_have_text("COMPLETED", timeout=120_000)
    address = worker.server.client("sagemaker").describe_compilation_job(CompilationJobName=name)["ModelArtifacts"]
    bucket, _, key = address["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    body = worker.server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        content = next(archive.extractfile(m) for m in archive.getmembers() if m.name.endswith("certificate.json"))
        assert content is not None
        certificate: dict[str, Any] = json.load(content)
    shown = page.locator("main").inner_text()
    assert f"{certificate['samples']['count']} samples" in shown
    assert all(form["form"] in shown for form in certificate["forms"])


def test_targets_that_are_none_are_refused_with_the_list(worker: Visitor, trained: str) -> None:
    page = worker.go(f"compilation-jobs/create?training_job={trained}")
    page.fill("[name=name]", unique("refused"))
    page.fill("[name=target]", "sbe_c")
    page.get_by_role("button", name="Compile").click()
    expect(page.locator(".form-refusal .refusal").last).to_contain_text("rasp4b")
    worker.troubles.clear()


@pytest.mark.parametrize("path", ["endpoints", "models", "transform-jobs", "compilation-jobs"])
def test_who_may_only_look_creates_nothing(browser: Browser, warm_server: Server, trained: str, path: str) -> None:
    name = unique("looker")
    model(warm_server, name, trained)
    key, secret = limited_user(warm_server, name, READ_ONLY)
    with visitor(browser, warm_server) as its:
        its.sign_in(key, secret)
        page = its.go(path)
        assert page.locator("main .button.primary, main form[hx-post]").count() == 0
        page = its.go(f"models/{name}")
        assert page.locator("main form[hx-post], main a.button").count() == 0
    client = Client(warm_server)
    client.post("enter", {"access_key_id": key, "secret_access_key": secret})
    token = client.csrf()
    assert client.post(f"models/{name}/delete", {}, X_CSRF_Token=token)[0] == 403
    fields = {"name": name, "model": name, "instance_type": "ml.m5.large", "count": "1"}
    assert client.post("endpoints/create", fields, X_CSRF_Token=token)[0] == 403


def test_a_model_is_registered_approved_and_made_a_model(worker: Visitor, trained: str) -> None:
    group, page, sagemaker = unique("registry"), worker.page, worker.server.client("sagemaker")
    worker.go(f"training-jobs/{trained}")
    page.get_by_role("link", name="Register").click()
    page.fill("[name=group]", group)
    page.fill("[name=description]", "<b>first</b>")
    page.get_by_role("button", name="Register").click()
    card = page.locator("#version-1")
    expect(card).to_contain_text("Waits for approval")
    expect(card).to_contain_text("<b>first</b>")
    expect(card).to_contain_text(trained)
    assert card.get_by_role("button", name="Make it a model").count() == 0
    card.get_by_role("button", name="Approve").click()
    expect(card.locator(".badge")).to_have_text("Approved")
    card.get_by_role("button", name="Make it a model").click()
    expect(page.locator("h1")).to_have_text(f"{group}-v1")
    container = sagemaker.describe_model(ModelName=f"{group}-v1")["PrimaryContainer"]
    assert container["ModelPackageName"].endswith(f"model-package/{group}/1") and trained in container["ModelDataUrl"]
    worker.go("model-packages")
    page.get_by_role("link", name=group).click()
    page.locator("#version-1").get_by_role("button", name="Reject").click()
    expect(page.locator("#version-1 .badge")).to_have_text("Rejected")
