"""The costs page in a real browser: what runs, by day and group, as code, and for those who may not see it."""

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.named import make_endpoint, make_named_model, named_variant
from tests.support.unique import unique

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def endpoint(server: Server) -> str:
    """One of two instances of a priced type, tagged."""
    name = unique("costly")
    make_endpoint(
        server,
        name,
        named_variant(make_named_model(server, name), count=2, InstanceType="ml.m5.xlarge"),
        Tags=[{"Key": "project", "Value": name}],
    )
    arn = server.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointArn"]
    server.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "project", "Value": name}])
    return name


def test_what_runs_has_its_price_an_hour(root: Visitor, endpoint: str) -> None:
    page = root.go("costs")
    row = page.get_by_role("region", name="Running now").locator("tr", has_text=endpoint)
    expect(row.locator("td").nth(1)).to_have_text("2")
    expect(row.locator("td").nth(2)).to_have_text("$0.4600")
    row.get_by_role("link").click()
    expect(page.locator("h1")).to_contain_text(endpoint)


def test_days_are_grouped_as_one_likes(root: Visitor, endpoint: str) -> None:
    page = root.go("costs")
    costs = page.get_by_role("region", name="Costs")
    expect(costs.locator("tbody tr", has_text="Endpoints")).to_be_visible()
    expect(page.locator(".spending rect").first).to_be_visible()
    page.get_by_label("By").select_option("resource")
    expect(costs.get_by_role("link", name=f"endpoint {endpoint}")).to_be_visible()
    page.get_by_label("By").select_option("user")
    expect(costs.locator("tbody tr", has_text="root")).to_be_visible()
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_label("To", exact=True).fill("2020-01-31")
    expect(page.get_by_text("Nothing was used in this time")).to_be_visible()
    page = root.go("costs?from=2026-02-30")
    expect(page.locator(".refusal")).to_contain_text("2026-01-31")
    root.troubles.clear()  # the refusal is a 400, which the browser reports


def test_the_page_shows_the_call_it_made(root: Visitor, endpoint: str) -> None:
    page = root.go("costs?by=machine")
    page.get_by_role("button", name="As code").click()
    expect(page.locator("#code")).to_contain_text("get_cost_and_usage")
    expect(page.locator("#code")).to_contain_text("INSTANCE_TYPE")


def test_home_says_what_runs_costs(root: Visitor, endpoint: str) -> None:
    page = root.go()
    page.locator(".stats a", has_text="Running now at AWS").click()
    expect(page.locator("h1")).to_have_text("Costs")


def test_who_may_not_see_costs_sees_the_home_page(browser: Browser, server: Server) -> None:
    key, secret = limited_user(server, unique("reader"), READ_ONLY)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        expect(its.page.locator("h1")).to_have_text("Home")
        assert its.troubles == []
        page = its.go("costs")
        expect(page.locator(".refusal")).to_contain_text("ce:GetCostAndUsage")
