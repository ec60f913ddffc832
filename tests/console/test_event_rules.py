"""Event rules in a real browser: made from an example, told whom to tell, switched, edited, deleted."""

import json

from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.unique import unique

from tobo.console.screens.event_rules import pattern_words

pytestmark = needs_chromium


def test_a_rule_from_birth_to_end(root: Visitor, server: Server) -> None:
    name, events = unique("failed"), server.client("events")
    topic = server.client("sns").create_topic(Name=name)["TopicArn"]
    page = root.go("event-rules/create")
    page.get_by_role("link", name="Endpoints that change").click()
    page.fill("[name=name]", name)
    page.fill("[name=pattern]", '{"source": "aws.sagemaker"}')
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("#refusal-pattern")).to_contain_text("'source' is neither a list of values nor an object")
    assert page.input_value("[name=name]") == name
    root.troubles.clear()  # the browser names the refused request
    page.get_by_role("link", name="Training jobs that fail").click()
    page.fill("[name=name]", name)
    page.locator("main form [data-code-of-form]").click()
    expect(page.locator("#code")).to_contain_text("events.put_rule(")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create rule").click()
    page.wait_for_url(f"**/event-rules/{name}")
    assert json.loads(events.describe_rule(Name=name)["EventPattern"])["detail"] == {"TrainingJobStatus": ["Failed"]}
    expect(page.get_by_text("It tells nobody yet")).to_be_visible()
    page.fill("[name=target]", "arn:aws:lambda:us-east-1:1:function:f")
    page.get_by_role("button", name="Add target").click()
    expect(page.locator("#refusal-target")).to_contain_text("is neither a topic nor a pipeline")
    root.troubles.clear()
    page.fill("[name=target]", topic)
    page.get_by_role("button", name="Add target").click()
    row = page.get_by_role("region", name="Targets").locator("tbody tr")
    expect(row.get_by_role("link", name=f"topic {name}")).to_be_visible()
    assert [each["Arn"] for each in events.list_targets_by_rule(Rule=name)["Targets"]] == [topic]
    page.get_by_role("button", name="Disable").click()
    expect(page.locator(".head .badge")).to_have_text("DISABLED")
    page.click("summary:has-text('Edit')")
    page.fill("[name=description]", "What the night shift wants to know")
    page.get_by_role("button", name="Save rule").click()
    expect(page.locator(".lead")).to_have_text("What the night shift wants to know")
    expect(page.locator(".head .badge")).to_have_text("DISABLED")
    assert events.describe_rule(Name=name)["State"] == "DISABLED", "editing turned it on"
    page.get_by_role("button", name="Enable").click()
    expect(page.locator(".head .badge")).to_have_text("ENABLED")
    assert root.accessibility() == []
    page = root.go(f"event-rules?name={name}")
    expect(page.get_by_role("region", name="Event rules").locator("tbody tr")).to_contain_text(
        'Training Job · {"TrainingJobStatus": ["Failed"]}'
    )
    page = root.go("event-rules/create")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Create rule").click()
    expect(page.locator("#refusal-name")).to_contain_text("already")
    root.troubles.clear()
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(name)
    page.get_by_role("option", name=f"{name} Event rule").click()
    page.wait_for_url(f"**/event-rules/{name}")
    page.get_by_role("button", name="Delete").click()
    page.click("#ask button[value=yes]")
    page.wait_for_url("**/event-rules")
    assert events.list_rules(NamePrefix=name)["Rules"] == []
    server.client("sns").delete_topic(TopicArn=topic)


def test_a_target_is_removed(root: Visitor, server: Server) -> None:
    name, events = unique("removed"), server.client("events")
    topic = server.client("sns").create_topic(Name=name)["TopicArn"]
    events.put_rule(Name=name, EventPattern='{"source": ["line-1"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "mail", "Arn": topic, "Input": '{"evil": "<b>"}'}])
    page = root.go(f"event-rules/{name}")
    expect(page.get_by_role("region", name="Targets")).to_contain_text('{"evil": "<b>"}')
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("It tells nobody yet")).to_be_visible()
    assert events.list_targets_by_rule(Rule=name)["Targets"] == []
    events.delete_rule(Name=name)
    server.client("sns").delete_topic(TopicArn=topic)


def test_who_may_only_look_sees_no_control(browser: Browser, server: Server) -> None:
    name, events = unique("looked-at"), server.client("events")
    events.put_rule(Name=name, EventPattern='{"source": ["line-1"]}')
    looks = {"Effect": "Allow", "Action": ["events:Describe*", "events:List*"], "Resource": "*"}
    key, secret = limited_user(server, unique("reader"), READ_ONLY, looks)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        for path in ("event-rules", f"event-rules/{name}"):
            page = its.go(path)
            expect(page.locator("main")).to_contain_text(name)
            assert page.locator("main form[hx-post]").count() == 0
            assert page.get_by_role("link", name="Create rule").count() == 0
        assert its.troubles == []
    events.delete_rule(Name=name)


def test_a_pattern_is_told_in_a_line() -> None:
    assert pattern_words('{"detail-type": ["SageMaker Endpoint State Change"]}') == "Endpoint"
    assert pattern_words('{"source": ["line-1"]}') == '{"source": ["line-1"]}'
    assert pattern_words('{"detail-type": [{"prefix": "Sage"}]}') == '{"detail-type": [{"prefix": "Sage"}]}'
    assert len(pattern_words(f'{{"source": ["{"x" * 300}"]}}')) == 100
