"""A house with a real ledger, asked through the one door at a time that stands still."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.operations.context import Call, Context, Principal, serve
from tobo.resources import costs as noun
from tobo.settings import Settings
from tobo.telemetry.ledger import Ledger, Owner, Use

assert noun.api  # registers the operations

ACCOUNT = "111122223333"
HOUR, DAY = 3600.0, 86_400.0
NEW_YEAR = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """It is the 1st of April 2026."""
    none = cast(Any, None)
    ledger = Ledger(tmp_path / "ledger.db")
    clock = SetClock(NEW_YEAR + 90 * DAY)
    yield Context(Settings(tmp_path), clock, none, none, none, none, none, none, none, ledger=ledger)
    ledger.close()


@pytest.fixture
def ask(context: Context) -> Callable[..., Any]:
    """ask("GetCostAndUsage", TimePeriod=...): as the account's root."""
    root = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)

    def ask(name: str, /, **asked: Any) -> Any:
        return serve(Call(context, root, Namespace(ACCOUNT, "us-east-1")), "ce", name, asked)

    return ask


@pytest.fixture
def used(context: Context) -> Callable[..., None]:
    """used("training-job", "a", begun, ended, count=2, price=1.0, region=..., user=..., project=...)."""
    assert context.ledger is not None
    ledger = context.ledger

    def used(
        kind: str,
        name: str,
        begun: float,
        ended: float | None,
        count: int = 1,
        price: float = 1.0,
        instance_type: str = "ml.m5.large",
        region: str = "us-east-1",
        user: str = "arn:aws:iam::111122223333:user/anna",
        account: str = ACCOUNT,
        **tags: str,
    ) -> None:
        arn = f"arn:aws:sagemaker:{region}:{account}:{kind}/{name}"
        owner = Owner(Namespace(account, region), kind, arn, name, user, tags)
        ledger.keep([(owner, [Use("", instance_type, count, price, price / 10, begun, ended)])], context.clock.now())

    return used
