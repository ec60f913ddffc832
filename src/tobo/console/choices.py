"""Choices: what forms propose, as far as the key may look it up."""

from typing import Any

from tobo.console.routing import REGION
from tobo.console.visit import Visit
from tobo.kit.fault import Fault


def names_of(visit: Visit, name: str, member: str, key: str, **asked: Any) -> list[str]:
    """The first hundred names of a SageMaker list; none where the key may not list them."""
    try:
        found = visit.quietly("sagemaker", name, MaxResults=100, **asked)
    except Fault:
        return []
    return [one[key] for one in found[member]]


def roles_of(visit: Visit) -> list[str]:
    """ARNs of the account's roles, SageMaker's own first; none where the key may not list them."""
    try:
        found = [role["Arn"] for role in visit.quietly("iam", "ListRoles")["Roles"]]
    except Fault:
        return []
    return sorted(found, key=lambda arn: ("ExecutionRole" not in arn, arn))


def own_role(visit: Visit) -> str:
    """The role that jobs take on where nobody has chosen one: SageMaker's own, by its name where it cannot be looked up."""
    found = roles_of(visit)
    return found[0] if found else f"arn:aws:iam::{visit.principal.account}:role/AmazonSageMaker-ExecutionRole"


def default_bucket(visit: Visit) -> str:
    """The SDKs' default bucket of account and region."""
    return f"sagemaker-{visit.region}-{visit.principal.account}"


def existing_bucket(visit: Visit) -> str:
    """The same, made where it is missing. Raises Fault where the key may not."""
    bucket = default_bucket(visit)
    try:
        visit.quietly("s3", "HeadBucket", Bucket=bucket)
    except Fault as fault:
        if fault.status == 403:
            raise
        create_bucket(visit, bucket)
    return bucket


def create_bucket(visit: Visit, bucket: str) -> None:
    """In the region that is looked at; us-east-1 is the one that S3 does not want named."""
    where = {} if visit.region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": visit.region}}
    visit.change("s3", "CreateBucket", Bucket=bucket, **where)


def topics_of(visit: Visit) -> list[str]:
    """ARNs of the region's first hundred topics; none where the key may not list them."""
    try:
        return [topic["TopicArn"] for topic in visit.quietly("sns", "ListTopics")["Topics"]]
    except Fault:
        return []


def budgets_of(visit: Visit) -> list[str]:
    """Names of the account's first hundred budgets; none where the key may not list them."""
    try:
        found = visit.quietly("budgets", "DescribeBudgets", AccountId=visit.principal.account)
    except Fault:
        return []
    return [budget["BudgetName"] for budget in found["Budgets"]]
