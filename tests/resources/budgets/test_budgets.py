"""Budgets through boto3 on a real server that really spends: an endpoint by the second, told and refused."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.jobs import training_job, upload_photos, wait
from tests.support.mailbox import mailbox
from tests.support.named import make_endpoint, make_named_model, named_variant
from tests.support.processes import until
from tests.support.unique import unique

SPENT = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}
ANNA = {"SubscriptionType": "EMAIL", "Address": "anna@example.org"}


@pytest.fixture
def budgets(server: Server) -> Any:
    return server.client("budgets")


def budget(name: str, amount: str = "100", **changed: Any) -> dict[str, Any]:
    return {
        "BudgetName": name,
        "BudgetLimit": {"Amount": amount, "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
        **changed,
    }


def refusal(call: Callable[..., Any], **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_budget_is_made_changed_and_deleted(server: Server, budgets: Any) -> None:
    name, account = unique("line"), server.account
    filters = {"TagKeyValue": ["user:project$nothing"]}
    budgets.create_budget(AccountId=account, Budget=budget(name, CostFilters=filters))
    made = budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
    assert made["BudgetLimit"] == {"Amount": "100", "Unit": "USD"} and made["CostFilters"] == filters
    assert made["CalculatedSpend"]["ActualSpend"] == {"Amount": "0.0000", "Unit": "USD"}
    assert (made["TimePeriod"]["Start"].day, made["TimePeriod"]["End"].year) == (1, 2087)
    budgets.update_budget(AccountId=account, NewBudget=budget(name, "7.5"))
    changed = budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
    assert changed["BudgetLimit"]["Amount"] == "7.5" and "CostFilters" not in changed
    history = budgets.describe_budget_performance_history(AccountId=account, BudgetName=name)
    (amounts,) = history["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
    assert amounts["BudgetedAmount"]["Amount"] == "7.5" and float(amounts["ActualAmount"]["Amount"]) >= 0
    budgets.delete_budget(AccountId=account, BudgetName=name)
    assert refusal(budgets.describe_budget, AccountId=account, BudgetName=name)[0] == "NotFoundException"


def test_lists_are_paged(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    budgets = server.client("budgets")
    names = [f"b-{number}" for number in range(5)]
    for name in names:
        budgets.create_budget(AccountId=server.account, Budget=budget(name))
    pages = budgets.get_paginator("describe_budgets").paginate(
        AccountId=server.account, PaginationConfig={"PageSize": 2}
    )
    assert [[each["BudgetName"] for each in page["Budgets"]] for page in pages] == [names[:2], names[2:4], names[4:]]
    wrong = refusal(budgets.describe_budgets, AccountId=server.account, NextToken="bm90IG91cnM=")
    assert wrong[0] == "InvalidNextTokenException"
    for number in range(3):
        budgets.create_notification(
            AccountId=server.account,
            BudgetName="b-0",
            Notification={**SPENT, "Threshold": 10.0 * number + 50},
            Subscribers=[{**ANNA, "Address": f"{n}@example.org"} for n in range(3)],
        )
    named = {"AccountId": server.account, "BudgetName": "b-0", "PaginationConfig": {"PageSize": 2}}
    pages = list(budgets.get_paginator("describe_notifications_for_budget").paginate(**named))
    assert [len(page["Notifications"]) for page in pages] == [2, 1]
    which = {**SPENT, "Threshold": 50.0}
    pages = list(budgets.get_paginator("describe_subscribers_for_notification").paginate(**named, Notification=which))
    assert [len(page["Subscribers"]) for page in pages] == [2, 1]


def test_notifications_and_subscribers(server: Server, budgets: Any) -> None:
    named = {"AccountId": server.account, "BudgetName": unique("line")}
    told = [{"Notification": SPENT, "Subscribers": [ANNA]}]
    budgets.create_budget(
        AccountId=server.account, Budget=budget(named["BudgetName"]), NotificationsWithSubscribers=told
    )
    assert budgets.describe_notifications_for_budget(**named)["Notifications"] == [{**SPENT, "NotificationState": "OK"}]
    bob = {**ANNA, "Address": "bob@example.org"}
    budgets.create_subscriber(**named, Notification=SPENT, Subscriber=bob)
    budgets.update_subscriber(
        **named, Notification=SPENT, OldSubscriber=ANNA, NewSubscriber={**ANNA, "Address": "a@example.org"}
    )
    other = {**SPENT, "Threshold": 90.0}
    budgets.update_notification(**named, OldNotification=SPENT, NewNotification=other)
    found = budgets.describe_subscribers_for_notification(**named, Notification=other)["Subscribers"]
    assert [each["Address"] for each in found] == ["bob@example.org", "a@example.org"]
    for address in ("bob@example.org", "a@example.org"):
        budgets.delete_subscriber(**named, Notification=other, Subscriber={**ANNA, "Address": address})
    assert budgets.describe_notifications_for_budget(**named)["Notifications"] == []
    for call, asked in (
        (budgets.delete_notification, {"Notification": other}),
        (budgets.describe_subscribers_for_notification, {"Notification": other}),
        (budgets.create_subscriber, {"Notification": other, "Subscriber": ANNA}),
    ):
        assert refusal(call, **named, **asked)[0] == "NotFoundException"
    budgets.create_notification(**named, Notification=SPENT, Subscribers=[ANNA])
    asked = {"Notification": SPENT, "Subscribers": [bob]}
    assert refusal(budgets.create_notification, **named, **asked)[0] == "DuplicateRecordException"
    asked = {"Notification": SPENT, "Subscriber": ANNA}
    assert refusal(budgets.create_subscriber, **named, **asked)[0] == "DuplicateRecordException"
    for number in range(9):
        more = {**SPENT, "Threshold": float(number)}
        budgets.create_notification(**named, Notification=more, Subscribers=[ANNA])
    full = refusal(budgets.create_notification, **named, Notification=other, Subscribers=[ANNA])
    assert full[0] == "CreationLimitExceededException"


def test_tags(server: Server, budgets: Any) -> None:
    name = unique("line")
    arn = f"arn:aws:budgets::{server.account}:budget/{name}"
    tags = [{"Key": "a", "Value": "1"}]
    budgets.create_budget(AccountId=server.account, Budget=budget(name), ResourceTags=tags)
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "b", "Value": "2"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["a"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "b", "Value": "2"}]
    assert refusal(budgets.list_tags_for_resource, ResourceARN=f"{arn}x")[0] == "NotFoundException"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"BudgetType": "RI_COVERAGE"}, "RI_COVERAGE"),
        ({"BudgetLimit": {"Amount": "-1", "Unit": "USD"}}, "-1"),
        ({"BudgetLimit": {"Amount": "many", "Unit": "USD"}}, "many"),
        ({"BudgetLimit": {"Amount": "1", "Unit": "EUR"}}, "EUR"),
        ({"CostFilters": {"Service": ["a"], "Mine": ["b"]}}, "Mine"),
        ({"FilterExpression": {"Dimensions": {"Key": "AZ", "Values": ["a"]}}}, "AZ"),
        ({"TimeUnit": "CUSTOM"}, "CUSTOM"),
        ({"TimePeriod": {"Start": "2026-02-01", "End": "2026-01-01"}}, "not before its End"),
        ({"PlannedBudgetLimits": {"1": {"Amount": "1", "Unit": "USD"}}}, "PlannedBudgetLimits"),
        ({"BudgetName": "a:b"}, "a:b"),
    ],
)
def test_refusals_name_what_is_wrong(server: Server, budgets: Any, changed: dict[str, Any], named: str) -> None:
    code, message = refusal(budgets.create_budget, AccountId=server.account, Budget={**budget("never"), **changed})
    assert code in ("InvalidParameterException", "ValidationException") and named in message


@pytest.mark.parametrize(
    ("notification", "subscribers", "named"),
    [
        ({}, [{"SubscriptionType": "SNS", "Address": "line"}], "no topic's ARN"),
        ({}, [{"SubscriptionType": "EMAIL", "Address": "a b"}], "no e-mail address"),
        ({}, [{"SubscriptionType": "SNS", "Address": f"arn:aws:sns:us-east-1:1:{n}"} for n in "ab"], "one SNS topic"),
    ],
)
def test_notifications_that_cannot_be(
    server: Server, budgets: Any, notification: dict[str, Any], subscribers: list[Any], named: str
) -> None:
    told = [{"Notification": {**SPENT, **notification}, "Subscribers": subscribers}]
    code, message = refusal(
        budgets.create_budget, AccountId=server.account, Budget=budget("never"), NotificationsWithSubscribers=told
    )
    assert code == "InvalidParameterException" and named in message


def test_other_accounts_and_twice(server: Server, budgets: Any) -> None:
    name = unique("line")
    assert refusal(budgets.describe_budgets, AccountId="999999999999")[0] == "AccessDeniedException"
    assert refusal(budgets.create_budget, AccountId="999999999999", Budget=budget(name))[0] == "AccessDeniedException"
    budgets.create_budget(AccountId=server.account, Budget=budget(name))
    twice = refusal(budgets.create_budget, AccountId=server.account, Budget=budget(name))
    assert twice[0] == "DuplicateRecordException"
    key, secret = limited_user(
        server, unique("clerk"), {"Effect": "Allow", "Action": "budgets:Describe*", "Resource": "*"}
    )
    theirs = server.client("budgets", aws_access_key_id=key, aws_secret_access_key=secret)
    assert theirs.describe_budget(AccountId=server.account, BudgetName=name)["Budget"]["BudgetName"] == name
    denied = refusal(theirs.delete_budget, AccountId=server.account, BudgetName=name)
    assert denied[0] == "AccessDeniedException"


def test_a_budget_tells_once_and_refuses_what_is_new(fresh_server: Callable[..., Server]) -> None:
    """An endpoint of 23 cents an hour, and a budget of a hundredth of a cent; it is told over a restart, once."""
    with mailbox() as box:
        server = fresh_server(TOBO_SMTP=box.address, TOBO_WARM="1")
        budgets, sagemaker, account = server.client("budgets"), server.client("sagemaker"), server.account
        topic = server.client("sns").create_topic(Name="costs")["TopicArn"]
        upload_photos(server, "photos")
        mine = [{"Key": "project", "Value": "marbles"}]
        told = [{"Notification": SPENT, "Subscribers": [ANNA, {"SubscriptionType": "SNS", "Address": topic}]}]
        budgets.create_budget(
            AccountId=account,
            Budget=budget("marbles", "0.0001", CostFilters={"TagKeyValue": ["user:project$marbles"]}),
            NotificationsWithSubscribers=told,
            ResourceTags=[{"Key": "tobo:refuse", "Value": "true"}],
        )
        sagemaker.create_training_job(**training_job("before", "photos", Tags=mine))
        make_named_model(server, "sorter")
        sagemaker.create_endpoint_config(
            EndpointConfigName="sorter", ProductionVariants=[named_variant("sorter", InstanceType="ml.m5.xlarge")]
        )
        sagemaker.create_endpoint(EndpointName="sorter", EndpointConfigName="sorter", Tags=mine)
        until(lambda: box.letters, 60)
        letter = box.letters[0]
        assert letter["To"] == "anna@example.org" and "marbles has crossed > 80%" in letter["Subject"]
        assert "Budgeted Amount: 0.00 USD" in letter.get_content()

        def spent() -> float:
            described = budgets.describe_budget(AccountId=account, BudgetName="marbles")["Budget"]
            return float(described["CalculatedSpend"]["ActualSpend"]["Amount"])

        until(lambda: spent() >= 0.0001, 60)
        wait(sagemaker, "before")
        code, message = refusal(sagemaker.create_training_job, **training_job("late", "photos", Tags=mine))
        assert code == "ResourceLimitExceeded" and "'marbles'" in message and "tobo:refuse" in message
        sagemaker.create_training_job(**training_job("another-project", "photos"))
        server.kill()
        server.start()
        budgets, sagemaker = server.client("budgets"), server.client("sagemaker")
        refused = refusal(sagemaker.create_training_job, **training_job("late", "photos", Tags=mine))
        assert refused[0] == "ResourceLimitExceeded"
        before = spent()
        until(lambda: spent() > before, 60)  # looked at again
        assert len(box.letters) == 1
        (state,) = budgets.describe_notifications_for_budget(AccountId=account, BudgetName="marbles")["Notifications"]
        assert state["NotificationState"] == "ALARM"
        budgets.update_budget(AccountId=account, NewBudget=budget("marbles", "50"))
        until(lambda: not is_refused(sagemaker, mine), 60)


def is_refused(sagemaker: Any, tags: list[dict[str, str]]) -> bool:
    try:
        sagemaker.create_training_job(**training_job(unique("after"), "photos", Tags=tags))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceLimitExceeded"
        return True
    return False


def test_an_endpoint_is_refused_too(fresh_server: Callable[..., Server]) -> None:
    """A budget of nothing, for one instance type."""
    server = fresh_server()
    server.client("budgets").create_budget(
        AccountId=server.account,
        Budget=budget("none", "0", CostFilters={"InstanceType": ["ml.m5.xlarge"]}),
        ResourceTags=[{"Key": "tobo:refuse", "Value": "true"}],
    )
    make_named_model(server, "sorter")
    sagemaker = server.client("sagemaker")
    make_endpoint(server, "cheap", named_variant("sorter"))
    sagemaker.create_endpoint_config(
        EndpointConfigName="dear", ProductionVariants=[named_variant("sorter", InstanceType="ml.m5.xlarge")]
    )
    code, message = refusal(sagemaker.create_endpoint, EndpointName="dear", EndpointConfigName="dear")
    assert code == "ResourceLimitExceeded" and "'none'" in message
