"""Metering: what a look at 10,000 endpoints that run costs, as a share of one core, and what Cost Explorer takes over a year of them."""

import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bench.rows import Row as Measured
from tobo.kit.arn import Namespace
from tobo.kit.clock import SystemClock
from tobo.operations.context import Call, Context, Principal, serve
from tobo.operations.metering import look
from tobo.resources import costs, endpoints
from tobo.settings import Settings
from tobo.store.base import Key, Row
from tobo.store.sql import SqlStore
from tobo.telemetry.ledger import Ledger, Owner, Use

RESOURCES = 10_000
LOOK_SECONDS = 60.0
"""Between two looks, as resources/costs/work.py has it."""
SPACE = Namespace("111122223333", "us-east-1")
SPANS_A_DAY = 100

assert costs.api and endpoints.api  # registers the meters and the operations


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        with (
            closing(SqlStore(f"sqlite:///{state / 'tobo.db'}")) as store,
            closing(Ledger(state / "ledger.db")) as ledger,
        ):
            none = cast(Any, None)
            context = Context(Settings(state), SystemClock(), store, none, none, none, none, none, none, ledger=ledger)
            return [_looks(context), _year(context)]


def _looks(context: Context) -> Measured:
    """The first look opens the spans; the next ones, which go on for ever, are measured."""
    now = context.clock.now()
    variant = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InstanceCount": 1}
    fleet = {"variants": [variant], "replicas": [{"number": 1, "variant": "AllTraffic", "ready": True}]}
    for number in range(RESOURCES):
        name = f"endpoint-{number}"
        context.store.insert(
            Row(
                key=Key(SPACE, "endpoint", name),
                arn=f"arn:aws:sagemaker:us-east-1:{SPACE.account}:endpoint/{name}",
                asked={"EndpointName": name, "EndpointConfigName": name},
                found={"_fleet": fleet, "_by": "arn:aws:iam::111122223333:user/anna"},
                status="InService",
                state="InService",
                created=now,
                modified=now,
                tags={"project": f"p-{number % 20}"},
            )
        )
    look(context)
    begun = time.process_time()
    for _ in range(5):
        look(context)
    share = (time.process_time() - begun) / 5 / LOOK_SECONDS
    return Measured(f"metering {RESOURCES} resources", 100 * share, "% of a core", aim=1, note="a look a minute")


def _year(context: Context) -> Measured:
    """A year of days by tag, over 36,500 jobs."""
    assert context.ledger is not None
    now, day = context.clock.now(), 86_400.0
    use = Use("", "ml.m5.large", 1, 0.115, 0.01)
    for back in range(365):
        begun = now - back * day
        context.ledger.keep(
            [
                (
                    Owner(
                        SPACE, "training-job", f"arn:{back}-{n}", f"{back}-{n}", "arn:anna", {"project": f"p-{n % 20}"}
                    ),
                    [replace(use, begun=begun, ended=begun + 600)],
                )
                for n in range(SPANS_A_DAY)
            ],
            now,
        )
    root = Principal(SPACE.account, f"arn:aws:iam::{SPACE.account}:root", SPACE.account)
    today = datetime.now(UTC).date()
    asked = {
        "TimePeriod": {"Start": str(today - timedelta(365)), "End": str(today)},
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "TAG", "Key": "project"}],
    }
    begun = time.process_time()
    serve(Call(context, root, SPACE), "ce", "GetCostAndUsage", asked)
    return Measured(
        "GetCostAndUsage, a year by month and tag", time.process_time() - begun, "CPU-s", note="46,500 spans"
    )
