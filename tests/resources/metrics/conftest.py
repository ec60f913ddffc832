"""A house with real metric series, asked through the one door at a time that stands still."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.operations.context import Call, Context, Principal, serve
from tobo.resources import metrics as noun
from tobo.settings import Settings
from tobo.telemetry.series import SqlMetrics

assert noun.api  # registers the operations


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    none = cast(Any, None)
    metrics = SqlMetrics(tmp_path / "metrics.db")
    yield Context(Settings(tmp_path), SetClock(), none, none, none, metrics, none, none, none)
    metrics.close()


@pytest.fixture
def ask(context: Context) -> Callable[..., Any]:
    """ask("PutMetricData", Namespace=...): as the account's root in us-east-1."""
    root = Principal("111122223333", "arn:aws:iam::111122223333:root", "111122223333")

    def ask(name: str, /, **asked: Any) -> Any:
        return serve(Call(context, root, Namespace("111122223333", "us-east-1")), "cloudwatch", name, asked)

    return ask
