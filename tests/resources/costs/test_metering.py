"""What real jobs and endpoints use, as Cost Explorer tells it, over changes, deletions and a killed server."""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.jobs import training_job, upload_photos, wait
from tests.support.named import (
    asker,
    make_endpoint,
    make_named_model,
    named_variant,
    sagemaker_of,
    serverless_variant,
    settled,
)
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")


METRICS = ["UsageQuantity", "UnblendedCost", "AmortizedCost"]


def hours_of(server: Server, arn: str) -> float:
    """Instance hours of a resource, yesterday to tomorrow."""
    return figures_of(server, arn)["UsageQuantity"]


def figures_of(server: Server, arn: str) -> dict[str, float]:
    """Of one moment, by metric."""
    today = datetime.now(UTC).date()
    found = server.client("ce").get_cost_and_usage(
        TimePeriod={"Start": str(today - timedelta(1)), "End": str(today + timedelta(2))},
        Granularity="MONTHLY",
        Metrics=METRICS,
        Filter={"Dimensions": {"Key": "RESOURCE_ID", "Values": [arn]}},
    )
    totals = [result["Total"] for result in found["ResultsByTime"]]
    return {metric: sum(float(total[metric]["Amount"]) for total in totals) for metric in METRICS}


def spans_of(server: Server, arn: str) -> list[tuple[str, int, int]]:
    """(variant, count, running) in the order of time."""
    with sqlite3.connect(server.state / "ledger.db") as connection:
        query = "SELECT part, count, running FROM spans WHERE arn = ? ORDER BY begun, part, count"
        return connection.execute(query, (arn,)).fetchall()


def test_a_job_costs_its_seconds_and_does_so_when_it_is_deleted(warm_server: Server) -> None:
    bucket, name, user = unique("metered"), unique("metered"), unique("anna")
    upload_photos(warm_server, bucket)
    key, secret = limited_user(warm_server, user, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    anna = warm_server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret)
    asked = training_job(name, bucket, Tags=[{"Key": "project", "Value": name}])
    arn = anna.create_training_job(**asked)["TrainingJobArn"]
    job = wait(anna, name)
    took = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
    assert hours_of(warm_server, arn) == pytest.approx(took / 3600, abs=1e-6)
    price = 0.115
    figures = figures_of(warm_server, arn)
    assert figures["UnblendedCost"] == pytest.approx(took / 3600 * price, abs=1e-6)
    assert figures["AmortizedCost"] == 0.0
    warm_server.client("sagemaker").delete_training_job(TrainingJobName=name)
    today = datetime.now(UTC).date()
    found = warm_server.client("ce", region="eu-central-1").get_cost_and_usage(
        TimePeriod={"Start": str(today - timedelta(1)), "End": str(today + timedelta(2))},
        Granularity="MONTHLY",
        Metrics=["UsageQuantity"],
        Filter={"Tags": {"Key": "project", "Values": [name]}},
        GroupBy=[{"Type": "TAG", "Key": "aws:createdBy"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
    )
    groups = [group["Keys"] for result in found["ResultsByTime"] for group in result["Groups"]]
    maker = f"aws:createdBy$arn:aws:iam::{warm_server.account}:user/{user}"
    assert groups == [[maker, "USE1-Train:ml.m5.large"]]


def test_a_serverless_variant_costs_the_time_in_which_it_works(server: Server) -> None:
    model, name = make_named_model(server, unique("asleep")), unique("asleep")
    variant = serverless_variant(model)
    variant["ServerlessConfig"]["MemorySizeInMB"] = 2048
    arn = make_endpoint(server, name, variant)["EndpointArn"]
    ask = asker(server, name)
    begun = time.monotonic()
    for _ in range(20):
        ask("x")
    took = time.monotonic() - begun
    until(lambda: hours_of(server, arn) > 0)
    figures = figures_of(server, arn)
    assert 0 < figures["UsageQuantity"] * 3600 <= took
    assert figures["UnblendedCost"] == pytest.approx(figures["UsageQuantity"] * 3600 * 2 * 0.00002, abs=1e-9)
    sagemaker_of(server).delete_endpoint(EndpointName=name)


def test_an_endpoint_costs_its_replicas(server: Server) -> None:
    model, name = make_named_model(server, unique("metered")), unique("metered")
    arn = make_endpoint(server, name, named_variant(model))["EndpointArn"]
    assert spans_of(server, arn) == [("AllTraffic", 1, 1)]
    sagemaker = sagemaker_of(server)
    wish = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wish)
    settled(server, name)
    assert spans_of(server, arn)[-1] == ("AllTraffic", 2, 1)
    wish = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wish)
    settled(server, name)
    assert all(not running for _, _, running in spans_of(server, arn))
    paused = hours_of(server, arn)
    assert paused > 0 and hours_of(server, arn) == paused
    sagemaker.delete_endpoint(EndpointName=name)
    assert hours_of(server, arn) == paused


def test_what_runs_goes_on_through_a_killed_server(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_MACHINE_COST="8766", TOBO_MACHINE_YEARS="1", TOBO_CPUS="2")
    model, name = make_named_model(server, unique("metered")), unique("metered")
    arn = make_endpoint(server, name, named_variant(model))["EndpointArn"]
    server.kill()
    server.start()
    assert spans_of(server, arn) == [("AllTraffic", 1, 1)]
    before = hours_of(server, arn)
    until(lambda: hours_of(server, arn) > before)
    figures = figures_of(server, arn)
    # a machine of a dollar an hour, all of which an ml.t2.medium of 2 vCPUs may use
    assert figures["AmortizedCost"] == pytest.approx(figures["UsageQuantity"])
    server.client("sagemaker").delete_endpoint(EndpointName=name)
    until(lambda: spans_of(server, arn) == [("AllTraffic", 1, 0)])


def test_an_end_that_was_not_written_down_is_found(fresh_server: Callable[..., Server]) -> None:
    """As if the server had been killed between the end of a job and its line in the ledger, and another job deleted."""
    server = fresh_server(TOBO_WARM="1")
    bucket = unique("metered")
    upload_photos(server, bucket)
    sagemaker = server.client("sagemaker")
    arn = sagemaker.create_training_job(**training_job("short", bucket))["TrainingJobArn"]
    wait(sagemaker, "short")
    ended = hours_of(server, arn)
    server.kill()
    with sqlite3.connect(server.state / "ledger.db") as connection:
        connection.execute("UPDATE spans SET running = 1, until = begun")
        row = connection.execute("SELECT * FROM spans").fetchone()
        gone = ("arn:gone", *row[1:])
        connection.execute(f"INSERT INTO spans VALUES ({', '.join('?' * len(gone))})", gone)
    server.start()
    until(lambda: [running for arn in (arn, "arn:gone") for _, _, running in spans_of(server, arn)] == [0, 0])
    assert hours_of(server, arn) == pytest.approx(ended) and hours_of(server, "arn:gone") == 0.0


def test_a_ledger_that_cannot_be_written_stops_no_job(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_WARM="1")
    bucket = unique("metered")
    upload_photos(server, bucket)
    with sqlite3.connect(server.state / "ledger.db") as connection:
        connection.execute("DROP TABLE spans")
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**training_job("short", bucket))
    assert wait(sagemaker, "short")["TrainingJobStatus"] == "Completed"
    assert "was not written down" in server.log()


def test_only_who_may_see_costs_sees_them(server: Server) -> None:
    reads = {"Effect": "Allow", "Action": "ce:GetTags", "Resource": "*"}
    key, secret = limited_user(server, unique("clerk"), reads)
    ce = server.client("ce", aws_access_key_id=key, aws_secret_access_key=secret)
    period = {"Start": "2026-01-01", "End": "2026-01-02"}
    assert ce.get_tags(TimePeriod=period)["Tags"] == []
    with pytest.raises(ClientError, match="not authorized to perform: ce:GetCostAndUsage"):
        ce.get_cost_and_usage(TimePeriod=period, Granularity="DAILY", Metrics=["UnblendedCost"])
