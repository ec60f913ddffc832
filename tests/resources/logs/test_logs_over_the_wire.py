"""CloudWatch Logs as boto3 sees it, on a real server."""

import time
from typing import Any

import pytest
from botocore.config import Config


def test_boto3_writes_pages_and_filters(server: Any) -> None:
    logs = server.client("logs")
    group, stream = "/tests/over-the-wire", "job/algo-1"
    logs.create_log_group(logGroupName=group, tags={"a": "1"})
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    lines = [{"timestamp": now + number, "message": f"line {number} ü\n"} for number in range(5)]
    assert "rejectedLogEventsInfo" not in logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=lines)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern="?0 ?3 ?4", PaginationConfig={"PageSize": 2}
    )
    assert [event["message"] for page in pages for event in page["events"]] == [
        "line 0 ü\n",
        "line 3 ü\n",
        "line 4 ü\n",
    ]
    streams = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix="job/")
    assert [found["logStreamName"] for page in streams for found in page["logStreams"]] == [stream]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    assert [event["timestamp"] for event in events] == [line["timestamp"] for line in lines]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName=group, logStreamName="none")
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_boto3_tails(server: Any) -> None:
    logs = server.client("logs", config=Config(inject_host_prefix=False))
    group = "/tests/tail"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
    stream = logs.start_live_tail(logGroupIdentifiers=[arn])["responseStream"]
    seen = []
    for event in stream:
        if "sessionStart" in event:
            put = [{"timestamp": int(time.time() * 1000), "message": "hello"}]
            logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=put)
            continue
        seen += event["sessionUpdate"]["sessionResults"]
        if seen:
            break
    stream.close()
    assert [event["message"] for event in seen] == ["hello"]
