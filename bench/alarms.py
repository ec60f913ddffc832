"""From breach to notice: a metric goes beyond its bound, and a webhook that subscribes to the alarm's topic is told."""

import json
import random
import statistics
import threading
import time
import urllib.request
from collections.abc import Mapping

from bench.listener import listener
from bench.rows import Row
from bench.servers import Tobo, tobo

TIMES = 8
PERIOD = 5
"""Seconds: that of the default alarm on endpoints that nobody can reach."""


class Hook:
    """When it was told that an alarm goes off."""

    def __init__(self) -> None:
        self.link = ""
        self.told = threading.Event()
        self.ready = threading.Event()

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        document = json.loads(body)
        if headers["x-amz-sns-message-type"] == "SubscriptionConfirmation":
            self.link = document["SubscribeURL"]
            self.ready.set()
        elif json.loads(document["Message"])["NewStateValue"] == "ALARM":
            self.told.set()
        return 200


def run() -> list[Row]:
    hook = Hook()
    with tobo(TOBO_DEFAULT_ALARMS="0") as server, listener(hook.take) as address:
        took = _notices(server, hook, address)
    note = f"{TIMES} times, median {statistics.median(took):.1f} s; periods of {PERIOD} s"
    return [Row("from breach to a webhook's notice, longest", max(took), "s", aim=10, note=note)]


def _notices(server: Tobo, hook: Hook, address: str) -> list[float]:
    sns, cloudwatch = server.client("sns"), server.client("cloudwatch")
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
    assert hook.ready.wait(30)
    urllib.request.urlopen(hook.link, timeout=10).close()
    cloudwatch.put_metric_alarm(
        AlarmName="down",
        Namespace="Bench",
        MetricName="Down",
        Statistic="Average",
        Period=PERIOD,
        EvaluationPeriods=1,
        Threshold=0.5,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )
    value, over = [0.0], threading.Event()

    def tell() -> None:
        while not over.wait(1.0):
            cloudwatch.put_metric_data(Namespace="Bench", MetricData=[{"MetricName": "Down", "Value": value[0]}])

    teller = threading.Thread(target=tell)
    teller.start()
    took = []
    try:
        for _ in range(TIMES):
            while cloudwatch.describe_alarms(AlarmNames=["down"])["MetricAlarms"][0]["StateValue"] != "OK":
                time.sleep(0.1)
            time.sleep(random.uniform(0, PERIOD))  # anywhere in a period
            hook.told.clear()
            began, value[0] = time.monotonic(), 1.0
            assert hook.told.wait(60)
            took.append(time.monotonic() - began)
            value[0] = 0.0
    finally:
        over.set()
        teller.join()
    return took
