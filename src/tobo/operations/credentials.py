"""Temporary credentials of a job's role, as its process finds them in its environment."""

from tobo.operations.context import Context
from tobo.store.base import Row


def role_credentials(context: Context, row: Row) -> dict[str, str]:
    """AWS_ACCESS_KEY_ID and the others for the row's RoleArn; raises the Faults of AssumeRole."""
    space = row.key.space
    role, session = row.asked["RoleArn"], f"SageMaker-{row.id}"
    answer = context.as_house(space, "sts", "AssumeRole", RoleArn=role, RoleSessionName=session)
    return {
        "AWS_ACCESS_KEY_ID": answer["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["Credentials"]["SessionToken"],
    }
