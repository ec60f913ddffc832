"""Budgets in a real browser: made, edited, who is told, and one that refuses."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.unique import unique

from tobo.console import budgeting

pytestmark = needs_chromium


def described(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.client("budgets").describe_budget(AccountId=server.account, BudgetName=name)[
        "Budget"
    ]
    return found


def make(server: Server, name: str, **changed: Any) -> None:
    """Of nothing that anybody uses: the server is shared, and a budget may refuse."""
    budget = {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "20", "Unit": "USD"},
        "CostFilters": {"TagKeyValue": [f"user:project${name}"]},
        **changed,
    }
    server.client("budgets").create_budget(AccountId=server.account, Budget=budget)


def test_a_budget_from_birth_to_end(root: Visitor, server: Server) -> None:
    name, client = unique("marbles"), server.client("budgets")
    topic = server.client("sns").create_topic(Name=name)["TopicArn"]
    page = root.go("costs")
    page.get_by_role("main").get_by_role("link", name="Budgets").click()
    page.get_by_role("link", name="Create budget").click()
    page.fill("[name=name]", name)
    page.fill("[name=limit]", "much")
    page.fill("[name=tags]", f"project={name}\nowner")
    page.fill("[name=tell]", topic)
    page.get_by_label("Refuse new jobs").check()
    page.get_by_role("button", name="Create budget").click()
    expect(page.locator("#refusal-limit")).to_contain_text("'much' is no amount")
    page.fill("[name=limit]", "0")
    page.get_by_role("button", name="Create budget").click()
    expect(page.locator("#refusal-tags")).to_contain_text("line 2, 'owner', has no =")
    assert page.input_value("[name=tell]") == topic and page.get_by_label("Refuse new jobs").is_checked()
    root.troubles.clear()  # the browser names the refused requests
    page.fill("[name=tags]", f"project={name}")
    page.locator("main form [data-code-of-form]").click()
    expect(page.locator("#code")).to_contain_text("create_budget(")
    expect(page.locator("#code")).to_contain_text("tobo:refuse")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create budget").click()
    page.wait_for_url(f"**/budgets/{name}")
    made = described(server, name)
    assert made["BudgetLimit"] == {"Amount": "0", "Unit": "USD"} and made["CostFilters"] == {
        "TagKeyValue": [f"user:project${name}"]
    }
    expect(page.get_by_text("new jobs, endpoints and notebooks that fall under it are refused")).to_be_visible()
    with pytest.raises(server.client("sagemaker").exceptions.ClientError, match=name):
        server.client("sagemaker").create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=f"arn:aws:iam::{server.account}:role/any",
            Tags=[{"Key": "project", "Value": name}],
        )  # fmt: skip
    page.get_by_role("button", name="Refuse nothing").click()
    expect(page.locator(".notice.good", has_text="refuses nothing")).to_be_visible()
    arn = f"arn:aws:budgets::{server.account}:budget/{name}"
    assert client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == []
    page.get_by_role("button", name="Refuse when spent").click()
    page.click("#ask button[value=yes]")
    expect(page.locator(".notice.good", has_text="is refused")).to_be_visible()
    assert client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "tobo:refuse", "Value": "true"}]
    assert root.accessibility() == []
    page.get_by_role("button", name="Delete").click()
    page.click("#ask button[value=yes]")
    page.wait_for_url("**/budgets")
    expect(page.locator("main .card")).not_to_contain_text(name)
    server.client("sns").delete_topic(TopicArn=topic)


def test_who_is_told_is_added_and_taken_away(root: Visitor, server: Server) -> None:
    name, client = f"{unique('told')}/line 1", server.client("budgets")
    make(server, name)
    topic = server.client("sns").create_topic(Name=unique("told"))["TopicArn"]
    page = root.go("budgets")
    page.get_by_role("link", name=name).click()
    for who in (topic, "anna@example.org"):
        page.fill("#field-threshold", "75")
        page.fill("[name=tell]", who)
        page.get_by_role("button", name="Tell them").click()
        expect(page.get_by_role("region", name="Who is told").locator("tr", has_text=who)).to_contain_text(
            "above 75 % of the limit"
        )
    asked = {"AccountId": server.account, "BudgetName": name}
    (notification,) = client.describe_notifications_for_budget(**asked)["Notifications"]
    assert (notification["NotificationType"], notification["Threshold"]) == ("ACTUAL", 75)
    page.fill("[name=tell]", "nobody")
    page.get_by_role("button", name="Tell them").click()
    expect(page.locator("#refusal-tell")).to_contain_text("'nobody' is no e-mail address")
    root.troubles.clear()
    for who in (topic, "anna@example.org"):
        page.locator("tr", has_text=who).get_by_role("button", name="Remove").click()
        expect(page.locator(".notice.good", has_text=f"{who} is told of this no more")).to_be_visible()
    assert client.describe_notifications_for_budget(**asked)["Notifications"] == []
    expect(page.get_by_text("Nobody is told")).to_be_visible()
    client.delete_budget(**asked)


def test_editing_keeps_what_the_form_does_not_show(root: Visitor, server: Server) -> None:
    name = unique("kept")
    filters = {"TagKeyValue": [f"user:project${name}"], "Region": ["eu-west-1"]}
    make(server, name, CostFilters=filters, CostTypes={"UseAmortized": True, "IncludeTax": False})
    before = described(server, name)
    page = root.go(f"budgets/{name}")
    expect(page.locator("main .facts")).to_contain_text(f"tag project={name}, Region eu-west-1")
    page.click("summary:has-text('Edit')")
    assert page.input_value("[name=what]") == "own"
    page.fill("[name=limit]", "30")
    page.get_by_role("button", name="Save budget").click()
    expect(page.locator(".stats")).to_contain_text("$30.00")
    after = described(server, name)
    assert after["CostFilters"] == filters and after["TimePeriod"] == before["TimePeriod"]
    assert after["CostTypes"]["UseAmortized"] is True and after["CostTypes"]["IncludeTax"] is False
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(name)
    page.get_by_role("option", name=name).click()
    page.wait_for_url(f"**/budgets/{name}")
    server.client("budgets").delete_budget(AccountId=server.account, BudgetName=name)


def test_who_may_only_look_sees_no_control(browser: Browser, server: Server) -> None:
    name = unique("looked-at")
    make(server, name)
    key, secret = limited_user(
        server,
        unique("reader"),
        READ_ONLY,
        {"Effect": "Allow", "Action": ["budgets:Describe*", "budgets:List*"], "Resource": "*"},
    )
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        for path in ("budgets", f"budgets/{name}"):
            page = its.go(path)
            expect(page.locator("main")).to_contain_text(name)
            assert page.locator("main form[hx-post]").count() == 0
            assert page.get_by_role("link", name="Create budget").count() == 0
        token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        answer = page.request.post(f"{page.url}/delete", headers={"X-CSRF-Token": token}, form={})
        assert answer.status == 403 and "budgets:" in answer.text()
    server.client("budgets").delete_budget(AccountId=server.account, BudgetName=name)


@pytest.mark.parametrize(
    ("spent", "forecast", "stands"),
    [
        ("0.0000", None, "Within"),
        ("19.9999", "20.0000", "Within"),
        ("5.0000", "20.0001", "Forecast above"),
        ("20.0000", "40", "Spent"),
    ],
)
def test_how_a_budget_stands(spent: str, forecast: str | None, stands: str) -> None:
    spend = {"ActualSpend": {"Amount": spent}, **({"ForecastedSpend": {"Amount": forecast}} if forecast else {})}
    budget = {"BudgetLimit": {"Amount": "20"}, "CalculatedSpend": spend, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    assert budgeting.seen(budget)["stands"] == stands
