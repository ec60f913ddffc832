"""A log that is followed, searched and taken away; a long one opens at its end."""

import time
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium
from tests.support.console import Client, make_job
from tests.support.unique import unique

pytestmark = needs_chromium

GROUP = "/aws/sagemaker/TrainingJobs"
MARKUP = "<script>document.title='broken'</script> & <b>bold</b>"


def write(server: Server, stream: str, messages: list[str]) -> None:
    logs = server.client("logs")
    for start in range(0, len(messages), 5000):
        now = int(time.time() * 1000)
        logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[{"timestamp": now, "message": message} for message in messages[start : start + 5000]],
        )


@pytest.fixture
def job(root: Visitor) -> str:
    """One whose log is written by the test."""
    name = unique("log")
    make_job(root.server, name)
    logs = root.server.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=f"{name}/by-hand")
    return name


def test_a_log_follows_as_text_whatever_its_lines_say(root: Visitor, job: str) -> None:
    write(root.server, f"{job}/by-hand", ["first", MARKUP])
    page = root.go(f"training-jobs/{job}")
    lines = page.locator(".log-window")
    expect(lines).to_contain_text(MARKUP)
    write(root.server, f"{job}/by-hand", ["and one more"])
    expect(lines).to_contain_text("and one more")
    assert "broken" not in page.title()
    assert page.locator(".log-window b").count() == 0


def test_a_long_log_opens_at_its_end_and_goes_back_to_its_beginning(root: Visitor, job: str) -> None:
    write(root.server, f"{job}/by-hand", [f"line {number}" for number in range(5_000)])
    page = root.go(f"training-jobs/{job}")
    box, lines = page.locator(".log-lines"), page.locator(".log-window")
    expect(lines).to_contain_text("line 4999")
    assert page.locator(".log-window > div").count() < 120
    for _ in range(30):
        box.evaluate("box => box.scrollTop = 0")
        page.wait_for_timeout(100)
        if "line 0" in lines.inner_text().split("\n")[0]:
            break
    assert lines.inner_text().split("\n")[0].endswith("line 0")
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Follow").click()
    expect(lines).to_contain_text("line 4999")


def test_a_log_is_searched_for_words_that_mean_only_themselves(root: Visitor, job: str) -> None:
    write(root.server, f"{job}/by-hand", ["loss { $.a = 1 }", 'said "no"', "loss 2", *["noise"] * 3000])
    page = root.go(f"training-jobs/{job}")
    search, lines = page.get_by_label("Find in the whole log"), page.locator(".log-window")
    said = page.locator("log-tail [role=status]")
    page.get_by_role("button", name="Only these").wait_for(state="hidden")
    for words, found in (
        ("{ $.a", ["loss { $.a = 1 }"]),
        ('"no"', ['said "no"']),
        ("loss", ["loss { $.a = 1 }", "loss 2"]),
    ):
        search.fill(words)
        expect(said).to_have_text(f"1 of {len(found)} lines with “{words}”")
        expect(page.locator(".log-window .current")).to_contain_text(found[0])
        expect(page.locator(".log-window mark").first).to_have_text(words)
        expect(lines).to_contain_text("noise")  # what is around it
        page.get_by_role("button", name="Only these").click()
        expect(page.locator(".log-window > div")).to_have_count(len(found))
        assert [line.split(" ", 1)[1] for line in lines.inner_text().split("\n")] == found
        page.get_by_role("button", name="Only these").click()
    search.fill("nowhere to be found")
    expect(said).to_have_text("No line has “nowhere to be found”")
    search.fill("")
    expect(page.locator(".log-window mark")).to_have_count(0)
    expect(lines).to_contain_text("noise")


def test_a_search_jumps_from_hit_to_hit_by_keys_and_the_log_goes_on_from_there(root: Visitor, job: str) -> None:
    stream = f"{job}/by-hand"
    write(root.server, stream, [f"{'epoch' if number % 1000 == 500 else 'line'} {number}" for number in range(9000)])
    page = root.go(f"training-jobs/{job}")
    search, lines, box = (
        page.get_by_label("Find in the whole log"),
        page.locator(".log-window"),
        page.locator(".log-lines"),
    )
    said, current = page.locator("log-tail [role=status]"), page.locator(".log-window .current")
    expect(lines).to_contain_text("line 8999")
    search.fill("epoch ")
    expect(said).to_have_text("1 of 9 lines with “epoch ”")
    expect(current).to_contain_text("epoch 500")
    expect(current).to_be_in_viewport()
    expect(lines).to_contain_text("line 501")
    search.press("Enter")
    expect(current).to_contain_text("epoch 1500")
    search.press("Shift+Enter")
    expect(current).to_contain_text("epoch 500")
    box.focus()
    page.keyboard.press("N")
    expect(said).to_have_text("9 of 9 lines with “epoch ”")
    expect(current).to_contain_text("epoch 8500")
    page.keyboard.press("n")
    expect(current).to_contain_text("epoch 500")
    page.get_by_role("button", name="Next").click()
    expect(current).to_contain_text("epoch 1500")
    page.evaluate("document.querySelector('.log-lines').scrollTop = 1e9")  # what comes behind is loaded
    page.wait_for_timeout(300)
    page.evaluate("document.querySelector('.log-lines').scrollTop = 1e9")
    expect(lines).to_contain_text("line 3499")
    page.evaluate("document.querySelector('.log-lines').scrollTop = 0")
    expect(lines).not_to_contain_text("line 3499")
    write(root.server, stream, ["the newest of all"])
    page.get_by_role("button", name="Follow").click()
    expect(lines).to_contain_text("the newest of all")
    assert root.accessibility() == []


def test_more_hits_than_one_answer_holds_are_asked_for_when_they_are_needed(root: Visitor, job: str) -> None:
    write(root.server, f"{job}/by-hand", [f"hit {number}" for number in range(700)])
    page = root.go(f"training-jobs/{job}")
    search, said = page.get_by_label("Find in the whole log"), page.locator("log-tail [role=status]")
    search.fill("hit")
    expect(said).to_have_text("1 of 500+ lines with “hit”")
    search.press("Shift+Enter")
    expect(said).to_have_text("500 of 500+ lines with “hit”")
    search.press("Enter")
    expect(said).to_have_text("501 of 700 lines with “hit”")
    expect(page.locator(".log-window .current")).to_contain_text("hit 500")


def test_a_log_is_taken_away_as_it_is(root: Visitor, job: str) -> None:
    messages = [f"line {number} {MARKUP}" for number in range(12_000)]
    write(root.server, f"{job}/by-hand", messages)
    client = Client(root.server)
    client.enter(root.server)
    place = f"group={quote(GROUP, safe='')}&stream={quote(f'{job}/by-hand', safe='')}"
    status, headers, body = client.ask("GET", f"logs/download?{place}")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert headers["content-disposition"].startswith("attachment;")
    assert body == "".join(f"{message}\n" for message in messages)
    assert client.ask("GET", "logs/download?group=/none&stream=none")[0] == 400
