"""From breach to notice: a metric goes beyond its bound, and a webhook that subscribes to the alarm's topic is told."""

import http.server
import json
import random
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.rows import Row
from bench.servers import Tobo, tobo

TIMES = 8
PERIOD = 5
"""Seconds: that of the default alarm on endpoints that nobody can reach."""


class Hook:
    """When it was told that an alarm goes off."""

    def __init__(self) -> None:
        self.url, self.link = "", ""
        self.told = threading.Event()
        self.ready = threading.Event()

    def take(self, kind: str, document: dict[str, Any]) -> None:
        if kind == "SubscriptionConfirmation":
            self.link = document["SubscribeURL"]
            self.ready.set()
        elif json.loads(document["Message"])["NewStateValue"] == "ALARM":
            self.told.set()


def run() -> list[Row]:
    with tobo(TOBO_DEFAULT_ALARMS="0") as server, _hook() as hook:
        took = _notices(server, hook)
    note = f"{TIMES} times, median {statistics.median(took):.1f} s; periods of {PERIOD} s"
    return [Row("from breach to a webhook's notice, longest", max(took), "s", aim=10, note=note)]


def _notices(server: Tobo, hook: Hook) -> list[float]:
    sns, cloudwatch = server.client("sns"), server.client("cloudwatch")
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
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


@contextmanager
def _hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.take(self.headers["x-amz-sns-message-type"], json.loads(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{listener.server_port}/"
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
