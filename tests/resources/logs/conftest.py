"""A house with real logs and a real store, asked through the one door at a time that stands still."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.operations.context import Call, Context, Principal, serve
from tobo.resources import logs as noun
from tobo.settings import Settings
from tobo.store.sql import SqlStore
from tobo.telemetry.files import FileLogs

assert noun.api  # registers the operations

Ask = Callable[..., Any]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    clock = SetClock()
    store = SqlStore(f"sqlite:///{tmp_path / 'store.db'}")
    none = cast(Any, None)
    logs = FileLogs(tmp_path / "logs", clock)
    yield Context(Settings(tmp_path), clock, store, none, logs, none, none, none, none)
    store.close()


@pytest.fixture
def ask(context: Context) -> Ask:
    """ask("PutLogEvents", logGroupName=...): as the account's root in us-east-1."""
    root = Principal("111122223333", "arn:aws:iam::111122223333:root", "111122223333")

    def ask(name: str, /, **asked: Any) -> Any:
        return serve(Call(context, root, Namespace("111122223333", "us-east-1"), "request-1"), "logs", name, asked)

    return ask
