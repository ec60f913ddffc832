"""The reaper in a real browser: a rule made, looked at beforehand, turned on, and what it did brought back."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, expect
from tests.conftest import Server
from tests.support.browser import Visitor, limited_user, needs_chromium, visitor
from tests.support.named import make_endpoint, make_named_model, named_variant, settled
from tests.support.processes import until
from tests.support.reaping import UNTAGGED, reaper, tobo
from tests.support.unique import unique

pytestmark = needs_chromium


def agree(page: Page) -> None:
    page.click("#ask button[value=yes]")


def count(server: Server, endpoint: str) -> int:
    described: dict[str, Any] = settled(server, endpoint)
    return int(described["ProductionVariants"][0]["DesiredInstanceCount"])


def test_from_an_example_to_the_way_back(browser: Browser, fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    make_named_model(server, "sorter")
    make_endpoint(server, "forgotten", named_variant("sorter", count=2))
    with visitor(browser, server) as root:
        root.sign_in()
        page = root.go("reaper")
        expect(page.get_by_text("The reaper is off, and has no rule")).to_be_visible()
        assert root.accessibility() == []
        page.get_by_role("link", name="Endpoints without an owner").click()
        assert page.input_value("[name=untagged]") == "project, owner"
        page.fill("[name=grace]", "0")
        page.get_by_role("button", name="Create rule").click()
        page.wait_for_url("**/reaper/untagged-endpoints")
        expect(page.get_by_text("This rule is off")).to_be_visible()
        expected = "untagged-endpoints: notice endpoint/forgotten, since it has no tag 'project', 'owner'"
        expect(page.locator(".planned p").first).to_have_text(expected)
        assert tobo(server, "plan").stdout.strip() == expected
        assert reaper(server).list_cases()["Cases"] == [], "a rule that is off did something"

        page.get_by_role("button", name="Turn on").click()
        agree(page)
        expect(page.locator(".notice.good", has_text="untagged-endpoints is on")).to_be_visible()
        row = page.get_by_role("region", name="Noticed and done").locator("tbody tr")
        expect(row.locator(".badge")).to_have_text("Done", timeout=60_000)
        assert count(server, "forgotten") == 0
        assert root.accessibility() == []
        row.get_by_role("button", name="Undo").click()
        expect(page.locator(".notice.good", has_text="started again")).to_be_visible()
        expect(row.locator(".badge")).to_have_text("Brought back")
        until(lambda: count(server, "forgotten") == 2)
        page.get_by_role("button", name="Turn off").click()
        expect(page.locator(".head .badge")).to_have_text("Off")
        assert root.troubles == []


def test_what_waits_is_said_as_the_command_says_it(browser: Browser, fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    make_named_model(server, "sorter")
    make_endpoint(server, "forgotten", named_variant("sorter"))
    reaper(server).put_rule(Rule={**UNTAGGED, "GraceMinutes": 60, "Enabled": True})
    until(lambda: reaper(server).list_cases()["Cases"], 60)
    with visitor(browser, server) as root:
        root.sign_in()
        page = root.go("reaper")
        said, call = tobo(server, "plan").stdout.splitlines()
        expect(page.locator(".planned p").first).to_have_text(said)
        expect(page.locator(".planned pre")).to_have_text(call.strip())
        row = page.get_by_role("region", name="Noticed and done").locator("tbody tr")
        expect(row.locator(".badge")).to_have_text("In grace")
        expect(row).to_contain_text("Pause, in 59 min")
        expect(row.get_by_role("button", name="Undo")).to_have_count(0)
        page.get_by_role("button", name="As code").click()
        expect(page.locator("#code")).to_contain_text("tobo_reaper.plan_reaping()")


def test_what_shall_be_deleted_is_brought_back_within_the_day(
    browser: Browser, fresh_server: Callable[..., Server]
) -> None:
    server = fresh_server()
    make_named_model(server, "sorter")
    make_endpoint(server, "forgotten", named_variant("sorter"))
    topic = server.client("sns").create_topic(Name="reaped")["TopicArn"]
    reaper(server).put_rule(Rule={**UNTAGGED, "Action": "DELETE", "TopicArn": topic, "Enabled": True})
    until(lambda: [case for case in reaper(server).list_cases()["Cases"] if case["Status"] == "Doomed"], 60)
    settled(server, "forgotten")
    with visitor(browser, server) as root:
        root.sign_in()
        page = root.go("reaper/untagged")
        expect(page.get_by_role("link", name="topic reaped")).to_be_visible()
        row = page.get_by_role("region", name="Noticed and done").locator("tbody tr")
        expect(row.locator(".badge")).to_have_text("Stopped, deleted after a day")
        expect(row).to_contain_text("Deleted, in 23 h")
        row.get_by_role("button", name="Undo").click()
        expect(row.locator(".badge")).to_have_text("Brought back")
        until(lambda: count(server, "forgotten") == 1)
        assert root.troubles == []


def test_a_rule_is_edited_refused_in_its_place_and_deleted(root: Visitor, server: Server) -> None:
    name, rules = unique("rule"), reaper(server)
    page = root.go("reaper/create")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("main .form-refusal:not(.at-field)")).to_contain_text("tick what it is about")
    page.get_by_label("Training jobs").check()
    page.fill("[name=idle]", "30")
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("#refusal-idle")).to_contain_text("is never idle")
    page.fill("[name=idle]", "")
    page.fill("[name=old]", "1440")
    page.fill("[name=from]", "20:00")
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("#refusal-to")).to_contain_text("fill in both")
    page.fill("[name=to]", "06:00")
    page.fill("[name=zone]", "Mars")
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("#refusal-zone")).to_contain_text("Mars")
    assert page.input_value("[name=old]") == "1440" and page.get_by_label("Training jobs").is_checked()
    root.troubles.clear()  # the browser names the refused requests
    page.fill("[name=zone]", "Europe/Berlin")
    page.locator("main form [data-code-of-form]").click()
    expect(page.locator("#code")).to_contain_text("put_rule(")
    assert name not in [rule["RuleName"] for rule in rules.list_rules()["Rules"]]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create rule").click()
    page.wait_for_url(f"**/reaper/{name}")
    expect(page.locator("main .facts")).to_contain_text("older than 1 day, 20:00 to 06:00 Europe/Berlin")

    rules.put_rule(Rule={**rules.describe_rule(RuleName=name)["Rule"], "Enabled": True})
    page.click("summary:has-text('Edit')")
    page.fill("[name=old]", "2880")
    page.get_by_role("button", name="Save rule").click()
    expect(page.locator(".notice.good", has_text="was changed")).to_be_visible()
    changed = rules.describe_rule(RuleName=name)["Rule"]
    assert changed["Enabled"] and changed["Conditions"]["OlderThanMinutes"] == 2880
    assert changed["Conditions"]["Schedule"] == {"From": "20:00", "To": "06:00", "TimeZone": "Europe/Berlin"}
    page = root.go("reaper/create?like=runaway")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("#refusal-name")).to_contain_text("a rule")
    root.troubles.clear()
    assert rules.describe_rule(RuleName=name)["Rule"] == changed
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(name.upper())
    page.get_by_role("option", name=name).click()
    page.wait_for_url(f"**/reaper/{name}")
    page.get_by_role("button", name="Delete").click()
    agree(page)
    page.wait_for_url("**/reaper")
    assert name not in [rule["RuleName"] for rule in rules.list_rules()["Rules"]]


def test_who_may_only_look_turns_nothing_on(browser: Browser, server: Server) -> None:
    name = unique("looked-at")
    reaper(server).put_rule(Rule={**UNTAGGED, "RuleName": name, "Conditions": {"BudgetName": name}})
    looks = {
        "Effect": "Allow",
        "Action": ["sagemaker:*", "tobo-reaper:ListRules", "tobo-reaper:DescribeRule"],
        "Resource": "*",
    }
    key, secret = limited_user(server, unique("reader"), looks)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        for path in ("reaper", f"reaper/{name}"):
            page = its.go(path)
            expect(page.locator("main form[hx-post]")).to_have_count(0)
            expect(page.get_by_text("Your key may not ask for the plan")).to_be_visible()
        token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        answer = page.request.post(page.url + "/switch", headers={"X-CSRF-Token": token}, form={"to": "on"})
        assert answer.status == 403 and "tobo-reaper:PutRule" in answer.text()
    assert not reaper(server).describe_rule(RuleName=name)["Rule"].get("Enabled")
    reaper(server).delete_rule(RuleName=name)
