"""Labelling jobs that learn, in the console: asked for by a tick, followed round by round."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.console_jobs import watcher
from tests.support.labelling import bucket_of, create, ended, labeler, worker
from tests.support.learning import answer_until, learning_job, name_of, over, photos
from tests.support.unique import unique


@pytest.fixture(scope="module")
def learning(server: Server) -> Iterator[str]:
    """The ARN of a job in its second round or a later one."""
    arn = create(server, learning_job(server, bucket_of(server, photos(80)), machine=0.99))
    answer_until(server, arn, [worker(server)], lambda told: len(told["Rounds"]) >= 2)
    yield arn


@needs_chromium
def test_a_tick_makes_a_job_learn_and_its_page_tells_the_rounds(root: Visitor, server: Server) -> None:
    bucket, name = bucket_of(server, photos(60)), unique("helped")
    page = root.go("labeling-jobs/create")
    for task, shown in (("BoundingBox", False), ("ImageMultiClass", True)):
        page.check(f"[name=task][value={task}]")
        expect(page.locator("[name=learn]")).to_be_visible(visible=shown)
    page.fill("[name=name]", name)
    page.fill("[name=source]", f"s3://{bucket}/photos/")
    page.fill("[name=title]", "Red or green?")
    page.fill("[name=classes]", "ko\nok")
    page.check("[name=learn]")
    page.fill("[name=accuracy]", "60")
    page.click("button[type=submit]:has-text('Create labelling job')")
    page.wait_for_url(f"**/labeling-jobs/{name}")
    job = server.client("sagemaker").describe_labeling_job(LabelingJobName=name)
    rounds = page.locator("[aria-label=Rounds] tbody tr")
    expect(rounds).to_have_count(1, timeout=60_000)
    answer_until(server, job["LabelingJobArn"], [worker(server)], over)
    expect(page.locator(".head .badge")).to_have_text("Completed", timeout=60_000)
    counted = ended(server, name)["LabelCounters"]
    expect(rounds.first).to_contain_text(str(counted["MachineLabeled"]), timeout=30_000)
    expect(page.locator("main")).to_contain_text("that people checked")
    page.get_by_role("link", name=f"By machine {counted['MachineLabeled']}").click()
    assert page.locator(".items li .badge:text('machine')").count() == counted["MachineLabeled"]
    page.click(f"a[href$='/models/{name}-{job['JobReferenceCode']}']")
    expect(page.locator("h1")).to_have_text(f"{name}-{job['JobReferenceCode']}")


@needs_chromium
def test_who_may_not_see_what_was_learned_is_told_so(browser: Browser, server: Server, learning: str) -> None:
    with watcher(browser, server) as its:
        page = its.go(f"labeling-jobs/{name_of(learning)}")
        expect(page.locator("main")).to_contain_text("tobo-labeling:DescribeLearning")
        assert page.locator("[aria-label=Rounds]").count() == 0


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_a_job_that_learns_is_accessible(
    browser: Browser, server: Server, learning: str, theme: Any
) -> None:
    told = labeler(server).describe_learning(LabelingJobArn=learning)
    with visitor(browser, server, color_scheme=theme) as its:
        its.sign_in()
        page = its.go(f"labeling-jobs/{name_of(learning)}")
        expect(page.locator("[aria-label=Rounds] tbody tr")).to_have_count(len(told["Rounds"]))
        assert its.accessibility() == [] and its.troubles == []
