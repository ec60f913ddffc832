"""Amazon Resource Names, and the (account, region) namespace that everything lives in."""

from typing import NamedTuple

from tobo.kit.fault import validation


class Namespace(NamedTuple):
    """Where a name is unique: an account and a region. `region` is "" for account-wide nouns (IAM)."""

    account: str
    region: str


class Arn(NamedTuple):
    """`arn:partition:service:region:account:resource` (AWS General Reference, "Amazon Resource Names")."""

    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def name(self) -> str:
        """The part behind the last slash: `training-job/marbles` -> `marbles`."""
        return self.resource.rsplit("/", 1)[-1]


def parse_arn(text: str) -> Arn:
    """Reads an ARN; raises Fault ValidationException where it is none."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise validation(f"'{text}' is not an ARN; expected arn:aws:service:region:account:resource.")
    return Arn(parts[2], parts[3], parts[4], parts[5])


def sagemaker_arn(space: Namespace, kind: str, name: str) -> str:
    """`arn:aws:sagemaker:<region>:<account>:<kind>/<name>`; AWS lower-cases the name in it."""
    return str(Arn("sagemaker", space.region, space.account, f"{kind}/{name.lower()}"))
