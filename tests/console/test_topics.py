"""Topics in a real browser: subscribed to, confirmed, a message that arrives; and an alarm that tells one."""

import urllib.request

from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.processes import until
from tests.support.unique import unique
from tests.support.webhook import webhook

pytestmark = needs_chromium


def test_a_message_goes_from_the_page_to_a_webhook(root: Visitor, server: Server) -> None:
    name, sns = unique("line"), server.client("sns")
    arn = f"arn:aws:sns:us-east-1:{server.account}:{name}"
    page = root.go("topics")
    page.click("summary:has-text('Create a topic')")
    page.fill("[name=name]", name)
    page.fill("[name=display]", "Line <b>1</b>")
    page.get_by_role("button", name="Create topic").click()
    page.wait_for_url(f"**/topics/{name}")
    expect(page.get_by_text("Nobody is subscribed", exact=True)).to_be_visible()
    with webhook() as hook:
        page.click("summary:has-text('Subscribe somebody')")
        page.select_option("[name=protocol]", "http")
        page.fill("[name=endpoint]", "https://elsewhere")
        page.get_by_role("button", name="Subscribe", exact=True).click()
        expect(page.locator("#refusal-endpoint")).to_contain_text(
            "'https://elsewhere' is no address that begins with http://"
        )
        assert page.input_value("[name=endpoint]") == "https://elsewhere"
        root.troubles.clear()  # the browser names the refused request
        page.fill("[name=endpoint]", hook.url)
        page.get_by_role("button", name="Subscribe", exact=True).click()
        row = page.get_by_role("region", name="Subscriptions").locator("tbody tr")
        expect(row.locator(".badge")).to_have_text("Not confirmed yet")
        assert root.accessibility() == []
        row.get_by_role("button", name="Ask again").click()
        until(lambda: len(hook.documents("SubscriptionConfirmation")) == 2)
        urllib.request.urlopen(hook.documents("SubscriptionConfirmation")[-1]["SubscribeURL"], timeout=10).close()
        expect(row.locator(".badge")).to_have_text("Confirmed")
        page.fill("[name=subject]", "Rejects")
        page.fill("[name=message]", "7 of 100")
        form = page.locator("section", has=page.locator("h2:has-text('Send a message')"))
        form.get_by_role("button", name="As code").click()
        expect(page.locator("#code")).to_contain_text("sns.publish(")
        page.keyboard.press("Escape")
        form.get_by_role("button", name="Send").click()
        until(lambda: hook.documents())
        (told,) = hook.documents()
        assert (told["Subject"], told["Message"], told["TopicArn"]) == ("Rejects", "7 of 100", arn)
        row.get_by_role("button", name="Unsubscribe").click()
        page.click("#ask button[value=yes]")
        expect(page.get_by_text("Nobody is subscribed", exact=True)).to_be_visible()
    page.fill("[name=display]", "Line 2")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator(".lead")).to_have_text("Line 2")
    page.get_by_role("button", name="Delete").click()
    page.click("#ask button[value=yes]")
    page.wait_for_url("**/topics")
    assert arn not in [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]


def test_a_topic_of_that_name_is_not_made_twice(root: Visitor, server: Server) -> None:
    name, sns = unique("twice"), server.client("sns")
    arn = sns.create_topic(Name=name, Attributes={"DisplayName": "First"})["TopicArn"]
    page = root.go("topics")
    page.click("summary:has-text('Create a topic')")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Create topic").click()
    expect(page.locator("#refusal-name")).to_contain_text(f"there is a topic '{name}' already")
    root.troubles.clear()
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(name)
    page.get_by_role("option", name=name).click()
    page.wait_for_url(f"**/topics/{name}")
    sns.delete_topic(TopicArn=arn)


def test_an_apprise_address_stays_secret(root: Visitor, server: Server) -> None:
    sns = server.client("sns")
    name = unique("chat")
    arn = sns.create_topic(Name=name)["TopicArn"]
    policy = '{"rejects": [{"numeric": [">", 5]}]}'
    sns.subscribe(
        TopicArn=arn, Protocol="apprise", Endpoint="json://127.0.0.1:9/very-secret", Attributes={"FilterPolicy": policy}
    )
    page = root.go(f"topics/{name}")
    row = page.get_by_role("region", name="Subscriptions").locator("tbody tr")
    expect(row).to_contain_text("json://…")
    expect(row).to_contain_text(policy)
    assert "very-secret" not in page.content()
    sns.delete_topic(TopicArn=arn)


def test_an_alarm_and_its_topic_lead_to_each_other(root: Visitor, server: Server) -> None:
    name, sns, cloudwatch = unique("told"), server.client("sns"), server.client("cloudwatch")
    first, other, third = (sns.create_topic(Name=f"{name}-{number}")["TopicArn"] for number in (1, 2, 3))
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="Sorter", MetricName="Rejected", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=5, ComparisonOperator="GreaterThanThreshold", AlarmActions=[first, other], OKActions=[other],
    )  # fmt: skip
    page = root.go(f"alarms/{name}")
    expect(page.locator("main li", has_text="tells")).to_have_text(
        [f"ALARM tells topic {name}-1", f"ALARM tells topic {name}-2", f"OK tells topic {name}-2"]
    )
    page.get_by_role("link", name=f"topic {name}-1").click()
    page.get_by_role("main").get_by_role("link", name=name, exact=True).click()
    page.wait_for_url(f"**/alarms/{name}")
    page.click("summary:has-text('Edit')")
    assert page.input_value("[name=topic]") == first
    page.fill("[name=topic]", third)
    page.get_by_role("button", name="Save alarm").click()
    expect(page.locator("main li", has_text="tells").first).to_have_text(f"ALARM tells topic {name}-3")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["AlarmActions"], alarm["OKActions"]) == ([third, other], [other])
    cloudwatch.delete_alarms(AlarmNames=[name])
    for arn in (first, other, third):
        sns.delete_topic(TopicArn=arn)


def test_who_may_only_look_sees_no_control(browser: Browser, server: Server) -> None:
    sns = server.client("sns")
    name = unique("looked-at")
    arn = sns.create_topic(Name=name)["TopicArn"]
    looks = {"Effect": "Allow", "Action": ["sns:Get*", "sns:List*"], "Resource": "*"}
    key, secret = limited_user(server, unique("reader"), READ_ONLY, looks)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        for path in ("topics", f"topics/{name}"):
            page = its.go(path)
            expect(page.locator("main")).to_contain_text(name)
            assert page.locator("main form[hx-post]").count() == 0
        token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        answer = page.request.post(f"{page.url}/publish", headers={"X-CSRF-Token": token}, form={"message": "x"})
        assert answer.status == 403 and "sns:Publish" in answer.text()
        assert its.troubles == []
    sns.delete_topic(TopicArn=arn)
