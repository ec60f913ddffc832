"""Training jobs by click: created, watched, stopped, cloned, compared, their log followed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.console import Client, make_job, photos, run
from tests.support.unique import unique

from tobo.console import ROOT
from tobo.console.curves import families
from tobo.console.screens.training_create import like, request_of
from tobo.kit.fault import Fault

pytestmark = needs_chromium


@pytest.fixture
def worker(browser: Browser, warm_server: Server) -> Iterator[Visitor]:
    """Signed in on the server whose trainings start at once."""
    with visitor(browser, warm_server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


def fill(visit: Visitor, name: str, bucket: str, epochs: int) -> None:
    page = visit.go("training-jobs/create")
    fields = {
        "name": name, "channel.train": f"s3://{bucket}/train/", "channel.validation": f"s3://{bucket}/validation/",
        "output": f"s3://{bucket}/out", "hyper.num_classes": "2", "hyper.num_training_samples": "12",
        "hyper.epochs": str(epochs), "hyper.mini_batch_size": "4", "hyper.image_shape": "3,32,32",
        "instance_type": "ml.m5.large", "tags": "project=marbles",
    }  # fmt: skip
    for field, value in fields.items():
        page.fill(f'[name="{field}"]', value)
    page.select_option('[name="hyper.num_layers"]', "20")


def test_a_job_is_created_watched_to_its_end_and_cloned(worker: Visitor) -> None:
    bucket, name = unique("click"), unique("click")
    photos(worker.server, bucket)
    fill(worker, name, bucket, 3)
    page = worker.page
    expect(page.locator("#price")).to_contain_text("$0.1150 at most, if it ran for 1 h 00 min")
    page.fill('[name="instance_count"]', "4")
    expect(page.locator("#price")).to_contain_text("$0.4600 at most")
    page.fill('[name="instance_count"]', "1")
    page.get_by_role("button", name="Create training job").click()
    page.wait_for_url(f"**/training-jobs/{name}")
    expect(page.locator("#notices")).to_contain_text("was created")
    page.evaluate("window.here = true")
    expect(page.locator(".head .badge")).to_have_text("Completed", timeout=120_000)
    expect(page.locator(".log-lines")).to_contain_text("Epoch[2] Validation-accuracy")
    expect(page.locator("live-chart .u-over").first).to_be_visible()
    assert page.evaluate("window.here")  # all of it without loading the page again
    assert page.locator(".timeline li").count() >= 4
    assert page.locator(".tag", has_text="project: marbles").count() == 1
    page.get_by_role("link", name="Clone and edit").click()
    assert page.input_value('[name="hyper.epochs"]') == "3"
    assert page.input_value('[name="channel.train"]') == f"s3://{bucket}/train/"
    again = unique("again")
    told = page.locator("#price .alike")
    expect(told).to_contain_text("for 3 epochs of ")
    expect(told.get_by_role("link", name=name)).to_have_attribute("href", f"{ROOT}/training-jobs/{name}")
    page.fill('[name="hyper.epochs"]', "3000")
    expect(told).to_contain_text("for 3,000 epochs of ")
    page.fill('[name="hyper.epochs"]', "3")
    page.fill('[name="instance_type"]', "ml.c5.9xlarge")
    expect(page.locator("#price")).to_contain_text("No completed job of this image")
    page.fill('[name="instance_type"]', "ml.m5.large")
    page.fill('[name="name"]', again)
    page.fill('[name="hyper.epochs"]', "1")
    page.get_by_role("button", name="Create training job").click()
    page.wait_for_url(f"**/training-jobs/{again}")
    sagemaker = worker.server.client("sagemaker")
    first, second = (sagemaker.describe_training_job(TrainingJobName=its) for its in (name, again))
    assert second["HyperParameters"] == {**first["HyperParameters"], "epochs": "1"}
    assert second["InputDataConfig"] == first["InputDataConfig"]
    assert sagemaker.list_tags(ResourceArn=second["TrainingJobArn"])["Tags"] == [{"Key": "project", "Value": "marbles"}]
    expect(page.locator(".head .badge")).to_have_text("Completed", timeout=120_000)
    compare(page, name)
    page.wait_for_url(f"**/training-jobs/{again}?with={name}")
    drawn = page.locator("live-chart").first.locator(".u-legend")
    for series in (f"{name} · validation:accuracy", f"{again} · train:accuracy"):
        expect(drawn).to_contain_text(series)
    compare(page, name)
    page.wait_for_url(f"**/training-jobs/{again}")


def compare(page: Page, job: str) -> None:
    """Ticks it, or takes the tick away."""
    page.locator("summary", has_text="Compare").click()
    page.get_by_label(job).click()
    page.locator(".panel").get_by_role("button", name="Compare").click()


def test_a_job_is_stopped_from_its_page(worker: Visitor) -> None:
    bucket, name = unique("stop"), unique("stop")
    photos(worker.server, bucket)
    fill(worker, name, bucket, 5000)
    page = worker.page
    page.get_by_role("button", name="Create training job").click()
    page.wait_for_url(f"**/training-jobs/{name}")
    expect(page.locator(".log-lines")).to_contain_text("Epoch[0]", timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".head .badge")).to_have_text("InProgress")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator(".head .badge")).to_have_text("Stopped", timeout=60_000)
    assert page.get_by_role("button", name="Stop").count() == 0


def test_what_is_refused_is_said_in_the_form_and_nothing_typed_is_lost(root: Visitor) -> None:
    name = unique("refused")
    make_job(root.server, name)
    fill(root, name, "no-such-bucket", 1)
    page = root.page
    page.get_by_role("button", name="Create training job").click()
    expect(page.locator(".form-refusal .refusal").last).to_contain_text("already exists")
    assert page.input_value('[name="name"]') == name
    expect(page.locator('[name="name"]')).to_be_focused()
    page.fill('[name="name"]', unique("refused"))
    expect(page.locator(".at-field")).to_have_count(0)  # what is mended is no longer refused
    for field, value, words in (
        ("hyper.epochs", "many", "must be a whole number"),
        ("hyper.momentum", "2", "momentum"),
        ("instance_type", "ml.none", "ml.m5.xlarge"),
        ("image", "nothing-of-ours", "is none that runs here"),
        ("channel.train", "somewhere", "regular expression"),
        ("tags", "no-equals-sign", "line 1"),
    ):
        box = page.locator(f'[name="{field}"]')
        before = box.input_value()
        box.evaluate("(field, value) => { field.value = value; }", value)  # its details may be closed
        page.get_by_role("button", name="Create training job").click()
        refusal = page.locator(f'[id="refusal-{field}"]')
        expect(refusal).to_contain_text(words)
        expect(box).to_be_focused()
        expect(box).to_have_attribute("aria-errormessage", f"refusal-{field}")
        assert root.accessibility() == []
        box.fill(before)
        expect(page.locator(".at-field, [aria-invalid]")).to_have_count(0)
    page.fill('[name="output"]', "nowhere")
    page.locator("form.stack").get_by_role("button", name="As code").click()
    expect(page.locator("#code")).to_be_visible()  # code is shown as it would be asked, right or wrong
    root.troubles.clear()


def test_another_image_has_other_hyperparameters_and_what_is_typed_stays(root: Visitor) -> None:
    page = root.go("training-jobs/create")
    page.fill('[name="hyper.epochs"]', "7")
    page.fill("[name=extra]", "own=1")
    image = page.input_value("[name=image]")
    page.fill("[name=image]", "my-own-program:1")
    page.locator("[name=image]").blur()
    expect(page.locator('[name="hyper.epochs"]')).to_have_count(0)
    expect(page.locator("#hyperparameters")).to_contain_text("declares no hyperparameters here")
    expect(page.locator("[name=extra]")).to_have_value("own=1")
    page.fill("[name=image]", image)
    page.locator("[name=image]").blur()
    expect(page.locator('[name="hyper.epochs"]')).to_be_visible()
    page.fill('[name="hyper.epochs"]', "9")
    page.fill("[name=image]", "image-classification:1")
    page.locator("[name=image]").blur()
    with page.expect_response(lambda answer: "fragment=hyperparameters" in answer.url):
        page.fill("[name=image]", image)
        page.locator("[name=image]").blur()
    expect(page.locator('[name="hyper.epochs"]')).to_have_value("9")
    expect(page.locator("[name=extra]")).to_have_value("own=1")


def test_the_forms_code_makes_the_job_that_the_form_would(root: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket, name = unique("code"), unique("code")
    photos(root.server, bucket, 2)
    fill(root, name, bucket, 1)
    page = root.page
    page.locator("form.stack").get_by_role("button", name="As code").click()
    expect(page.locator("#code pre").first).to_contain_text("create_training_job(")
    code = page.locator("#code pre").first.inner_text()
    with pytest.raises(Exception, match="not found"):
        root.server.client("sagemaker").describe_training_job(TrainingJobName=name)
    run(root.server, code, monkeypatch)
    described = root.server.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert described["HyperParameters"]["num_layers"] == "20"
    assert described["ResourceConfig"]["InstanceType"] == "ml.m5.large"


def test_several_are_stopped_at_once_once_they_are_ticked(worker: Visitor) -> None:
    bucket, part = unique("bulk"), unique("bulk")
    photos(worker.server, bucket, 2)
    sagemaker = worker.server.client("sagemaker")
    for number in range(2):
        sagemaker.create_training_job(**long_job(worker.server, f"{part}-{number}", bucket))
    page = worker.go(f"training-jobs?name={part}")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_disabled()
    page.get_by_label("Tick all").check()
    expect(stop).to_be_enabled()
    stop.click()
    expect(page.locator("#ask h2")).to_have_text("Stop the ticked training jobs (2)?")
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("#notices")).to_contain_text("2 training jobs will stop")
    worker.go(f"training-jobs?name={part}")
    expect(page.locator("tbody .badge", has_text="Stopped")).to_have_count(2, timeout=60_000)


def long_job(server: Server, name: str, bucket: str) -> dict[str, Any]:
    fields = {
        "name": name, "role": f"arn:aws:iam::{server.account}:role/any", "image": "image-classification:1",
        "channel.train": f"s3://{bucket}/train/", "output": f"s3://{bucket}/out", "hyper.num_classes": "2",
        "hyper.num_training_samples": "4", "hyper.epochs": "5000", "hyper.num_layers": "20", "hyper.image_shape": "3,32,32",
        "hyper.mini_batch_size": "2", "instance_type": "ml.m5.large", "instance_count": "1", "volume": "1", "seconds": "600",
    }  # fmt: skip
    return request_of(fields)


def test_lists_are_filtered_sorted_and_paged_and_the_address_says_so(root: Visitor) -> None:
    part = unique("paged")
    for number in range(55):
        make_job(root.server, f"{part}-{number:02d}")
    page = root.go("training-jobs")
    page.fill("[name=name]", part)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/training-jobs?name={part}")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Name", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Name"))
    expect(page.locator("tbody .name").first).to_have_text(f"{part}-54")
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("tbody .name")).to_have_text([f"{part}-0{number}" for number in (4, 3, 2, 1, 0)])
    page.get_by_role("link", name="First page").click()
    page.select_option("[name=status]", "Completed")
    expect(page.locator(".empty h3")).to_have_text("No job is like that")
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_the_list_tells_machines_and_costs_to_who_may_search(browser: Browser, server: Server) -> None:
    part = unique("machines")
    names = [f"{part}-{'x' * 40}-{number}" for number in range(30)]  # more than one filter's value holds
    for name in names:
        make_job(server, name)
    listed = {**READ_ONLY, "Action": ["sagemaker:List*", "sagemaker:Describe*"]}
    for statement, words in ((READ_ONLY, "ml.m5.large"), (listed, "–")):
        with visitor(browser, server) as its:
            its.sign_in(*limited_user(server, unique("searcher"), statement))
            page = its.go(f"training-jobs?name={part}&sort=Name&order=Ascending")
            cells = page.locator("tbody tr td:nth-child(4)")
            expect(cells).to_have_text([words] * len(names))
            cost = page.locator("tbody tr td:nth-child(6)").first.inner_text()
            assert cost.startswith("$") if words != "–" else cost == "–"


def test_several_jobs_are_compared_and_the_address_says_with_which(root: Visitor) -> None:
    one, others = unique("compare"), [unique("compare"), unique("compare")]
    for name in (one, *others):
        make_job(root.server, name)
    page = root.go(f"training-jobs/{one}")
    page.locator("summary", has_text="Compare").click()
    for other in others:
        page.get_by_label(other).check()
    page.locator(".panel").get_by_role("button", name="Compare").click()
    expect(page.locator("summary", has_text="Compare (2)")).to_be_visible()
    assert sorted(re.findall(r"with=([^&]+)", page.url)) == sorted(others)


def test_a_clone_keeps_what_the_form_has_no_field_for() -> None:
    job = {
        "TrainingJobName": "old", "TrainingJobArn": "arn", "TrainingJobStatus": "Completed", "Environment": {"A": "1"},
        "HyperParameters": {"epochs": "3", "own": "x"}, "CheckpointConfig": {"S3Uri": "s3://b/checkpoints"},
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "Pipe", "MetricDefinitions": [{"Name": "m"}]},
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "image/png",
             "DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/old", "AttributeNames": ["a"]}}},
            {"ChannelName": "masks", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/masks"}}},
            {"ChannelName": "validation", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/v"}}},
        ],
    }  # fmt: skip
    asked = request_of({
        "name": "new", "image": "image", "channel.train": "s3://b/new", "channel.model": "s3://b/model.tar.gz",
        "hyper.epochs": "9", "instance_count": "1", "volume": "1", "seconds": "60",
    })  # fmt: skip
    made = like(job, asked)
    assert (made["TrainingJobName"], made["HyperParameters"]) == ("new", {"epochs": "9"})
    assert (made["Environment"], made["CheckpointConfig"]) == (job["Environment"], job["CheckpointConfig"])
    assert made["AlgorithmSpecification"] == job["AlgorithmSpecification"]
    assert [channel["ChannelName"] for channel in made["InputDataConfig"]] == ["train", "masks", "model"]
    assert made["InputDataConfig"][0] == {
        "ChannelName": "train", "ContentType": "image/png",
        "DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/new", "AttributeNames": ["a"]}},
    }  # fmt: skip
    assert not made.keys() & {"TrainingJobArn", "TrainingJobStatus"}


def test_somebody_who_may_only_look_has_no_button_that_changes_something(browser: Browser, server: Server) -> None:
    name = unique("looker")
    make_job(server, name)
    key, secret = limited_user(server, name, READ_ONLY)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        page = its.go(f"training-jobs/{name}")
        words = page.locator("main").inner_text()
        assert name in words
        for deed in ("Stop", "Clone", "Deploy"):
            assert page.locator("main").get_by_text(deed, exact=False).count() == 0
        its.go("training-jobs")
        assert page.locator("[data-tick], [data-needs-ticks]").count() == 0
        assert page.get_by_role("link", name="Create training job").count() == 0
    client = Client(server)
    client.post("enter", {"access_key_id": key, "secret_access_key": secret})
    status, _, body = client.post("training-jobs/stop", {"name": name}, X_CSRF_Token=client.csrf())
    assert status == 403
    assert "AccessDenied" in body


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"extra": "a=1\nb"}, "line 2: 'b' is not name=value"),
        ({"extra": "=1"}, "is not name=value"),
        ({"tags": "x"}, "Tags, line 1"),
        ({"seconds": "1.5"}, "'1.5' is not a whole number"),
        ({"seconds": "٣"}, "is not a whole number"),
    ],
)
def test_fields_that_cannot_be_read_are_named(fields: dict[str, str], words: str) -> None:
    whole = {"instance_count": "1", "volume": "1", "seconds": "60"}
    with pytest.raises(Fault, match=re.escape(words)):
        request_of({**whole, **fields})


def test_metrics_that_belong_together_are_drawn_together() -> None:
    names = ("train:loss", "validation:accuracy", "train:accuracy", "speed")
    assert families([{"MetricName": name} for name in names]) == ["accuracy", "loss", "speed"]
