"""Fleets, devices and deployments in the console, with real heartbeats and a real deployment, in a real Chromium."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.fleets import Fleet, metric, stage
from tests.support.jobs import photo
from tests.support.unique import unique

from tobo.console import ROOT
from tobo.console.edge import device_state
from tobo.edge.outbox import Outbox

pytestmark = needs_chromium


@pytest.fixture
def fleet(server: Server) -> Iterator[Fleet]:
    its = Fleet(server)
    yield its
    for plan in its.sagemaker.list_edge_deployment_plans(DeviceFleetNameContains=its.name)[
        "EdgeDeploymentPlanSummaries"
    ]:
        its.sagemaker.delete_edge_deployment_plan(EdgeDeploymentPlanName=plan["EdgeDeploymentPlanName"])
    devices = its.sagemaker.list_devices(DeviceFleetName=its.name)["DeviceSummaries"]
    if devices:
        names = [device["DeviceName"] for device in devices]
        its.sagemaker.deregister_devices(DeviceFleetName=its.name, DeviceNames=names)
    its.sagemaker.delete_device_fleet(DeviceFleetName=its.name)


def ran(page: Page, server: Server) -> None:
    """Runs the boto3 code that the page shows, and closes it."""
    expect(page.locator("#code")).to_be_visible()
    code = page.locator("#code pre code").first.inner_text()
    page.click("#code [data-close]")
    made: Callable[..., object] = lambda service, region_name: server.client(service, region_name)  # noqa: E731
    exec(code.replace("import boto3\n", ""), {"boto3": SimpleNamespace(client=made)})


def told(model: str = "marbles", version: str = "1.0") -> dict[str, object]:
    """The members of a heartbeat as an agent sends them."""
    figures = [metric("Decisions", 120), metric("Rejects", 6), metric("ScoreDrift", 0.31), metric("OutboxBytes", 2048)]
    latency = [metric("Latency", 9.5, Dimension="p50"), metric("Latency", 14.0, Dimension="p99")]
    run = {"ModelName": model, "ModelVersion": version, "LatestInference": time.time()}
    return {"AgentMetrics": [*figures, *latency], "Models": [run]}


@pytest.mark.parametrize(
    ("age", "state"),
    [(None, "Never seen"), (0.0, "Online"), (300.0, "Online"), (301.0, "Late"), (3600.0, "Late"), (3601.0, "Silent")],
)
def test_a_device_is_what_its_last_heartbeat_says(age: float | None, state: str) -> None:
    assert device_state(None if age is None else 10_000.0 - age, 10_000.0) == state


def test_a_fleet_is_created_by_the_form_and_by_its_code(root: Visitor, server: Server) -> None:
    name = unique("made")
    sagemaker = server.client("sagemaker")
    page = root.go("fleets/create")
    page.fill("[name=name]", name)
    page.fill("[name=output]", "s3://bucket/home")
    page.fill("[name=description]", "Kitchen: 2nd line")
    page.click("[data-code-of-form]")
    ran(page, server)
    assert sagemaker.describe_device_fleet(DeviceFleetName=name)["Description"] == "Kitchen: 2nd line"
    sagemaker.delete_device_fleet(DeviceFleetName=name)
    page.click("main button[type=submit]")
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator(".lead")).to_have_text("Kitchen: 2nd line")
    page.fill("[name=names]", "cam-1, cam-2")
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.locator("#notices")).to_contain_text("2 devices are registered.")
    page.get_by_label("Tick cam-1").check()
    page.get_by_role("button", name="Deregister").click()
    page.click("#ask [value=yes]")
    expect(page.locator("#notices")).to_contain_text("cam-1 is deregistered.")
    left = sagemaker.list_devices(DeviceFleetName=name)["DeviceSummaries"]
    assert [one["DeviceName"] for one in left] == ["cam-2"]
    sagemaker.deregister_devices(DeviceFleetName=name, DeviceNames=["cam-2"])
    page.locator("summary", has_text="Delete this fleet").click()
    page.get_by_role("button", name="Delete fleet").click()
    page.click("#ask [value=yes]")
    expect(page.locator("#notices")).to_contain_text(f"Fleet {name} is deleted")


def test_heartbeats_move_the_pages(root: Visitor, fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    page = root.go(f"fleets/{fleet.name}")
    expect(page.locator(".badge")).to_have_text(["Never seen", "Never seen"])
    expect(page.locator(".stats")).to_contain_text("0 of 2")
    fleet.beat("cam-1", **told())
    expect(page.locator("tr", has_text="cam-1").locator(".badge")).to_have_text("Online")
    expect(page.locator(".stats")).to_contain_text("1 of 2")
    expect(page.locator(".notice.warn")).to_contain_text("Score drift: cam-1.")
    page = root.go(f"devices?fleet={fleet.name}&model=marbles")
    expect(page.locator("td.name")).to_have_text(["cam-1"])
    page = root.go(f"devices/{fleet.name}/cam-1")
    expect(page.locator("[data-sum=decisions]")).to_have_text("120 decisions, 6 rejects (5.0 %)")
    expect(page.locator("[data-sum=latency]")).to_have_text("last 9.5 ms, p99 14 ms")
    expect(page.locator("[data-sum=drift]")).to_contain_text("last 0.31")
    expect(page.locator("[data-sum=outbox]")).to_contain_text("2.0 kB")
    expect(page.locator("[data-chart] canvas")).to_have_count(4)
    expect(page.locator(".stats")).to_contain_text("marbles 1.0")
    time.sleep(1.1)  # a metric counts once a second
    fleet.beat("cam-1", **told(version="2.0"))
    expect(page.locator("[data-sum=decisions]")).to_have_text("240 decisions, 12 rejects (5.0 %)")
    expect(page.locator(".stats")).to_contain_text("marbles 2.0")


def test_the_way_to_a_devices_own_page(root: Visitor, fleet: Fleet) -> None:
    fleet.register("cam-1")
    page = root.go(f"devices/{fleet.name}/cam-1")
    link = page.get_by_role("link", name="Open its page")
    expect(link).to_be_hidden()
    page.evaluate("document.querySelector('[name=address]').type = 'text'")
    page.fill("[name=address]", "javascript:alert(1)")
    page.get_by_role("button", name="Remember").click()
    expect(page.locator("device-page .form-refusal")).to_have_text("An address begins with http:// or https://.")
    expect(link).to_be_hidden()
    page.fill("[name=address]", "http://camera.local:8080/?token=a")
    page.get_by_role("button", name="Remember").click()
    page = root.go(f"devices/{fleet.name}/cam-1")
    expect(link).to_have_attribute("href", "http://camera.local:8080/?token=a")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_a_deployment_from_the_form_to_the_last_device(root: Visitor, server: Server, fleet: Fleet) -> None:
    """Its progress is seen without loading the page again."""
    fleet.register("cam-1", "cam-2")
    job, name = fleet.package(), unique("plan")
    page = root.go(f"packaging-jobs/{job}")
    page.get_by_role("link", name="Deploy", exact=True).click()
    page.fill("[name=name]", name)
    page.fill("[name=fleet]", fleet.name)
    page.select_option("[name='how.0']", "SELECTION")
    page.fill("[name='which.0']", "cam-1")
    page.click("[data-code-of-form]")
    ran(page, server)
    asked = fleet.described(name)
    assert asked["ModelConfigs"] == [{"ModelHandle": "marbles", "EdgePackagingJobName": job}]
    assert [one["DeviceSelectionConfig"] for one in asked["Stages"]] == [
        {"DeviceSubsetType": "SELECTION", "DeviceNames": ["cam-1"]},
        {"DeviceSubsetType": "PERCENTAGE", "Percentage": 100},
    ]
    fleet.sagemaker.delete_edge_deployment_plan(EdgeDeploymentPlanName=name)
    page.click("main button.primary[type=submit]")
    expect(page.locator("h1")).to_have_text(name)
    first, last = page.locator("#stage-first"), page.locator("#stage-all")
    expect(first.locator("header .badge")).to_have_text("READYTODEPLOY")
    first.get_by_role("button", name="Start", exact=True).click()
    expect(first.locator("header .badge")).to_have_text("INPROGRESS")
    expect(first).to_contain_text("0 of 1 have it, 1 pending")
    expect(last.get_by_role("button", name="Start", exact=True)).to_have_count(0)  # one stage at a time
    page.evaluate("window.kept = true")
    fleet.answer("cam-1", fleet.await_command("cam-1"))
    expect(first.locator("header .badge")).to_have_text("DEPLOYED")
    expect(first.locator("tbody .badge")).to_have_text("DEPLOYED")
    expect(first.locator("progress")).to_have_attribute("value", "1")
    assert page.evaluate("window.kept") is True
    last.get_by_role("button", name="Start", exact=True).click()
    fleet.answer("cam-2", fleet.await_command("cam-2"), "FAIL", "<i>no</i> space")
    expect(last).to_contain_text("<i>no</i> space")
    fleet.await_status(name, "FAILED", 1)
    expect(last.locator("header .badge")).to_have_text("FAILED")
    expect(last.get_by_role("button", name="Start again")).to_be_visible()
    assert root.accessibility() == []


def test_a_stage_is_stopped(root: Visitor, fleet: Fleet) -> None:
    fleet.register("cam-1")
    name = fleet.plan(stage("all"))
    page = root.go(f"deployment-plans/{name}")
    page.get_by_role("button", name="As code").last.click()
    ran(page, fleet.server)
    expect(page.locator("#stage-all header .badge")).to_have_text("INPROGRESS")
    page.get_by_role("button", name="Stop").click()
    page.click("#ask [value=yes]")
    expect(page.locator("#notices")).to_contain_text("Stage all stops")
    expect(page.locator("#stage-all header .badge")).to_have_text("STOPPED")


def test_going_back_to_an_older_version(root: Visitor, fleet: Fleet) -> None:
    """Devices refuse what is older than theirs; the older model, packaged again, is the newest."""
    model = unique("model")[:20]
    old, new = fleet.package("1.0", model), fleet.package("2.0", model)
    name = unique("plan")
    fleet.sagemaker.create_edge_deployment_plan(
        EdgeDeploymentPlanName=name,
        DeviceFleetName=fleet.name,
        ModelConfigs=[{"ModelHandle": model, "EdgePackagingJobName": new}],
        Stages=[stage("all")],
    )
    page = root.go(f"deployment-plans/{name}")
    page.get_by_role("link", name="Package again").click()
    expect(page.locator("[name=name]")).to_have_value(f"{old}-again")
    page.locator("main button[type=submit]").click()
    expect(page.locator("h2 .badge")).to_have_text("COMPLETED")
    again = fleet.packaged(f"{old}-again")
    assert (again["ModelVersion"], again["EdgePackagingJobStatus"]) == ("1.0", "COMPLETED")


class Home:
    """Where an outbox sends to: the fleet's place in the server's S3."""

    def __init__(self, fleet: Fleet) -> None:
        self.s3 = fleet.s3

    def put(self, uri: str, body: bytes, content_type: str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def test_what_a_device_saw_last_comes_home_and_is_shown(root: Visitor, fleet: Fleet, tmp_path: Path) -> None:
    fleet.register("cam-1")
    page = root.go(f"devices/{fleet.name}/cam-1")
    seen = page.locator("section", has=page.get_by_role("heading", name="What it saw last"))
    expect(seen).to_contain_text("has not sent a frame home yet")
    page.evaluate("window.kept = true")
    outbox, base = Outbox(tmp_path, 1 << 24), f"s3://{fleet.bucket}/home/{fleet.name}/cam-1/"

    def send(number: int, verdict: str, **more: object) -> None:
        about = {"at": time.time(), "number": number, "verdict": verdict, "reason": "class", "label": f"<b>{verdict}"}
        about |= {"margin": 0.1, "scores": {"ko": 0.75, "ok": 0.25}, "kept": "margin"}
        counts = {"kind": "counts", "from": time.time() - 60, "at": time.time(), "decisions": 90 + number, "rejects": 4}
        told = [{**counts, "labels": {"ok": 88, "<i>ko": 4}}, {"kind": "frame", **about}, {"kind": "fault", **more}]
        outbox.keep(outbox.append(told)[1], photo(number), {"id": 0, **about})
        outbox.send(Home(fleet), base)  # type: ignore[arg-type]

    send(1, "ko", fault="The camera is <b>black</b>.")
    expect(seen.locator("img")).to_be_visible(timeout=15_000)  # it is looked for every 5 seconds
    expect(seen).to_contain_text("<b>ko (its class)")
    expect(seen).to_contain_text("91 decisions, 4 rejects in the 1 min 00 s")
    expect(seen).to_contain_text("ok 88, <i>ko 4")
    expect(seen.locator(".notice.bad")).to_have_text("The camera is <b>black</b>.")
    assert root.accessibility() == []
    for number in range(2, 8):
        send(number, "ok", fault=None)
    expect(seen).to_contain_text("Part 7, kept because the model was unsure", timeout=15_000)
    expect(seen).to_contain_text("97 decisions")
    expect(seen.locator(".notice")).to_have_count(0)
    assert seen.locator("img").evaluate("async image => { await image.decode(); return image.naturalWidth; }") == 40
    assert page.evaluate("window.kept") is True


def test_a_device_goes_back_by_two_clicks(root: Visitor, fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    model = unique("model")[:20]
    old, new = fleet.package("1.0", model), fleet.package("2.0", model)
    fleet.beat("cam-1", **told(model, "2.0"))
    page = root.go(f"devices/{fleet.name}/cam-1")
    page.get_by_role("button", name="Go back to 1.0").click()
    expect(page.locator("h1")).to_have_text(f"cam-1 goes back to {model} 1.0")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#stage-cam-1 header .badge")).to_have_text("INPROGRESS")
    command = fleet.await_command("cam-1")
    assert command["Definitions"][0]["ModelHandle"] == model
    fleet.answer("cam-1", command)
    expect(page.locator("#stage-cam-1 header .badge")).to_have_text("DEPLOYED")
    assert fleet.told("cam-2") is None
    again = fleet.packaged(f"{old}-again")
    assert (again["ModelVersion"], again["CompilationJobName"]) == ("1.0", fleet.packaged(old)["CompilationJobName"])
    fleet.beat("cam-1", **told(model, "1.0"))
    page = root.go(f"devices/{fleet.name}/cam-1")
    expect(page.locator("main")).to_contain_text(f"of {new}")
    page.get_by_role("button", name="Go back to 2.0").click()
    expect(page.locator("h1")).to_have_text(f"cam-1 goes back to {model} 2.0")
    assert root.accessibility() == []


def test_enrolling_shows_the_command(root: Visitor, fleet: Fleet) -> None:
    page = root.go(f"enroll?fleet={fleet.name}")
    expect(page.locator("[name=host]")).to_have_value("")  # no device reaches this one's 127.0.0.1
    assert page.locator("main .code-box").count() == 0
    page.fill("[name=device]", "cam-7")
    page.fill("[name=host]", "192.168.1.10")
    page.get_by_role("button", name="Show the commands").click()
    expected = f"tobo edge enroll {fleet.name} cam-7 --into cam-7/ --target rasp4b --host 192.168.1.10"
    expect(page.locator("main code").first).to_have_text(expected)
    expect(page.locator("main")).to_contain_text("sudo ~/tobo/bin/tobo-edge install ~/cam-7")
    expect(page.locator(".notice.warn")).to_contain_text("no TLS port")
    page = root.go("enroll?fleet=a;id&device=$(id)&host=`id`")
    quoted = "tobo edge enroll 'a;id' '$(id)' --into '$(id)/' --target rasp4b --host '`id`'"
    expect(page.locator("main code").first).to_have_text(quoted)


def test_who_may_only_look(browser: Browser, server: Server, fleet: Fleet) -> None:
    fleet.register("cam-1")
    name = fleet.plan(stage("all"))
    job = fleet.described(name)["ModelConfigs"][0]["EdgePackagingJobName"]
    key, secret = limited_user(server, unique("watcher"), READ_ONLY)
    posts: dict[str, dict[str, str | float | bool]] = {
        "fleets/create": {"name": "x", "output": "s3://bucket/x"},
        f"fleets/{fleet.name}/register": {"names": "x"},
        f"fleets/{fleet.name}/deregister": {"device": "cam-1"},
        f"fleets/{fleet.name}/delete": {},
        f"deployment-plans/{name}/start": {"stage": "all"},
        f"deployment-plans/{name}/delete": {},
        f"packaging-jobs/{job}/stop": {},
    }
    with visitor(browser, server) as watcher:
        watcher.sign_in(key, secret)
        pages = ("fleets", f"fleets/{fleet.name}", "devices", f"devices/{fleet.name}/cam-1", "packaging-jobs")
        for path in (*pages, f"packaging-jobs/{job}", "deployment-plans", f"deployment-plans/{name}"):
            page = watcher.go(path)
            expect(page.locator("h1")).not_to_have_text("Something went wrong")
            assert page.locator("main form[hx-post]:has(button:not([data-needs-ticks]))").count() == 0, path
            assert page.locator("main a.primary:not([data-open-page]), main [data-tick]").count() == 0, path
        token = watcher.page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        for path, form in posts.items():
            answer = watcher.page.request.post(
                f"{server.endpoint}{ROOT}/{path}", headers={"X-CSRF-Token": token}, form=form or {"none": "1"}
            )
            assert answer.status == 403, (path, answer.status, answer.text())
        assert watcher.troubles == []
    assert json.dumps(fleet.status(name)).count("READYTODEPLOY") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(root: Visitor, server: Server, fleet: Fleet, theme: str) -> None:
    fleet.register("cam-1", "cam-2")
    fleet.beat("cam-1", **told())
    name = fleet.plan(stage("all"))
    job = fleet.described(name)["ModelConfigs"][0]["EdgePackagingJobName"]
    root.context.add_cookies([{"name": "tobo_theme", "value": theme, "url": server.endpoint}])
    pages = ("fleets", "fleets/create", f"fleets/{fleet.name}", "devices", f"devices/{fleet.name}/cam-1")
    more = ("packaging-jobs", "packaging-jobs/create", f"packaging-jobs/{job}", "deployment-plans")
    last = ("deployment-plans/create", f"deployment-plans/{name}", f"enroll?fleet={fleet.name}&device=cam-1")
    for path in (*pages, *more, *last):
        root.go(path)
        root.page.wait_for_timeout(300)
        assert root.accessibility() == [], path
