"""Alarms in a real browser: created, set, edited, deleted."""

from playwright.sync_api import expect
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium
from tests.support.unique import unique

pytestmark = needs_chromium


def test_an_alarm_from_birth_to_end(root: Visitor, server: Server) -> None:
    name = unique("slow")
    page = root.go("alarms")
    page.click("summary:has-text('Create an alarm')")
    page.fill("details [name=name]", name)
    page.fill("[name=threshold]", "5")
    page.fill("[name=dimensions]", "EndpointName=<b>marbles")
    page.click("button:has-text('Save alarm')")
    page.wait_for_url(f"**/alarms/{name}")
    (made,) = server.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert made["Threshold"] == 5 and made["Dimensions"] == [{"Name": "EndpointName", "Value": "<b>marbles"}]
    page.select_option("[name=state]", "ALARM")
    page.click("button:has-text('Set state')")
    page.wait_for_selector("text=Set in the console")
    assert root.accessibility() == []
    page.click("summary:has-text('Edit')")
    page.fill("[name=threshold]", "7")
    page.click("button:has-text('Save alarm')")
    page.wait_for_selector("text=was saved")
    (made,) = server.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert made["Threshold"] == 7 and made["Dimensions"] == [{"Name": "EndpointName", "Value": "<b>marbles"}]
    page.click("button:has-text('Delete')")
    page.click("#ask button[value=yes]")
    page.wait_for_url("**/alarms")
    assert server.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_expressions_and_rules_are_shown_as_what_they_are(root: Visitor, server: Server) -> None:
    prefix, cloudwatch = unique("kinds"), server.client("cloudwatch")
    metric = {"Metric": {"Namespace": "Sorter", "MetricName": "Rejected"}, "Period": 60, "Stat": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName=f"{prefix}-math", EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold",
        Metrics=[{"Id": "e", "Expression": "100 * m"}, {"Id": "m", "MetricStat": metric, "ReturnData": False}],
    )  # fmt: skip
    cloudwatch.put_composite_alarm(AlarmName=f"{prefix}-rule", AlarmRule=f"NOT OK({prefix}-math)")
    page = root.go(f"alarms?name={prefix}")
    rows = page.get_by_role("region", name="Alarms").locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("100 * m > 5")
    expect(rows.nth(1)).to_contain_text(f"NOT OK({prefix}-math)")
    for number in (0, 1):
        rows.nth(number).get_by_role("link").click()
        expect(page.locator("h1")).to_contain_text(prefix)
        expect(page.locator("summary:has-text('Edit')")).to_have_count(0)
        page.go_back()
    cloudwatch.delete_alarms(AlarmNames=[f"{prefix}-rule", f"{prefix}-math"])


def test_an_alarms_chart_shows_what_it_watches_and_its_bound(root: Visitor, server: Server) -> None:
    name, cloudwatch = unique("charted"), server.client("cloudwatch")
    where = [{"Name": "Line", "Value": name}]
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="Sorter", MetricName="Rejected", Dimensions=where, ExtendedStatistic="p90", Period=60,
        EvaluationPeriods=1, Threshold=0.25, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    page = root.go(f"alarms/{name}")
    chart = page.locator("live-chart")
    expect(chart.locator(".u-over")).to_be_visible()
    chart.locator("details summary").click()
    expect(chart.locator("details tbody")).to_contain_text("0.25")
    cloudwatch.put_metric_data(
        Namespace="Sorter", MetricData=[{"MetricName": "Rejected", "Dimensions": where, "Value": 0.75}]
    )
    expect(chart.locator("details tbody")).to_contain_text("0.75")
    assert root.accessibility() == []
    cloudwatch.delete_alarms(AlarmNames=[name])
