"""Instances that are stopped by themselves: which work counts, and whose rule is stricter."""

import json
import time
from collections.abc import Callable

import pytest
from tests.conftest import Server
from tests.support.notebooks import Tab, make_notebook, served_for, settled
from tests.support.processes import until

from tobo.kit.fault import Fault
from tobo.resources.notebook_instances.rules import IDLE_TAG, STOP_TAG, check_tags, next_time, stop_reason

NOON = time.mktime((2026, 11, 28, 12, 0, 0, 0, 0, -1))
HOUR = 3600.0


@pytest.mark.parametrize(
    ("tags", "most", "at", "idle", "reason"),
    [
        ({}, None, None, 999 * HOUR, ""),
        ({IDLE_TAG: "60"}, None, None, 1 * HOUR, "Stopped after 60 minutes"),
        ({IDLE_TAG: "60"}, None, None, 0.9 * HOUR, ""),
        ({IDLE_TAG: "60"}, 30.0, None, 0.6 * HOUR, "Stopped after 30 minutes"),
        ({IDLE_TAG: "10"}, 30.0, None, 0.4 * HOUR, "Stopped after 10 minutes"),
        ({}, 30.0, None, 0.6 * HOUR, "Stopped after 30 minutes"),
        ({IDLE_TAG: "never"}, 30.0, None, 0.6 * HOUR, "Stopped after 30 minutes"),
        ({IDLE_TAG: "never"}, None, None, 9 * HOUR, ""),
        ({STOP_TAG: "11:59"}, None, None, 0.0, "Stopped at 11:59"),
        ({STOP_TAG: "12:01"}, None, None, 0.0, ""),
        ({STOP_TAG: "noon"}, None, "11:00", 0.0, "Stopped at 11:00"),
        ({STOP_TAG: "13:00"}, None, "11:00", 0.0, "Stopped at 11:00"),
        ({}, None, "09:00", 0.0, ""),
    ],
)
def test_the_rules(tags: dict[str, str], most: float | None, at: str | None, idle: float, reason: str) -> None:
    """At noon; it came into service at ten o'clock."""
    told = stop_reason(tags, most, at, NOON - 2 * HOUR, NOON - idle, NOON)
    assert told.startswith(reason) and bool(told) == bool(reason)


def test_a_time_of_day_comes_each_day() -> None:
    assert next_time("12:00", NOON - 1) == NOON
    assert time.strftime("%d %H:%M", time.localtime(next_time("12:00", NOON))) == "29 12:00"
    assert time.strftime("%d %H:%M", time.localtime(next_time("0:05", NOON))) == "29 00:05"


@pytest.mark.parametrize("tags", [{IDLE_TAG: "0"}, {IDLE_TAG: "1.5"}, {STOP_TAG: "24:00"}, {STOP_TAG: "8"}])
def test_rules_that_cannot_be_read(tags: dict[str, str]) -> None:
    with pytest.raises(Fault, match="The tag tobo:"):
        check_tags(tags)


WORK = {
    "waits": "import time; time.sleep(1000)",
    "computes": "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=True).start()",
    "rests": "print(1)",
}
"""A busy kernel that computes nothing, an idle one that computes, and one that does neither."""


def test_what_works_and_what_only_stands_open(fresh_server: Callable[..., Server]) -> None:
    """The administrator's limit of 12 seconds, which a tag cannot lengthen."""
    server = fresh_server(TOBO_NOTEBOOK_IDLE_MINUTES="0.2")
    for name in WORK:
        found = make_notebook(server, name, Tags=[{"Key": IDLE_TAG, "Value": "600"}])
        assert found["NotebookInstanceStatus"] == "InService"
        kernel = Tab.opened(server, name).kernel()
        if name == "rests":
            idle = kernel
        kernel.run(WORK[name], wait=name != "waits")
    with idle.open():  # an open tab, which asks JupyterLab what is new, as its page does
        until(lambda: _polled(idle.tab) and settled(server, "rests")["NotebookInstanceStatus"] == "Stopped", 60)
    time.sleep(15)  # longer than the limit
    assert settled(server, "waits")["NotebookInstanceStatus"] == "InService"
    assert settled(server, "computes")["NotebookInstanceStatus"] == "InService"
    busy = Tab.opened(server, "waits")
    for kernel in json.loads(busy.ask("GET", "api/kernels").body):
        busy.ask("DELETE", f"api/kernels/{kernel['id']}")
    until(lambda: settled(server, "waits")["NotebookInstanceStatus"] == "Stopped", 60)
    server.client("sagemaker").start_notebook_instance(NotebookInstanceName="waits")
    assert settled(server, "waits")["NotebookInstanceStatus"] == "InService"


def _polled(tab: Tab) -> bool:
    for path in ("api/kernels", "api/sessions", "api/terminals", "api/contents"):
        tab.ask("GET", path)
    time.sleep(0.5)
    return True


def test_a_tag_stops_at_its_time(fresh_server: Callable[..., Server]) -> None:
    """The minute that the clock shows has begun since it came into service."""
    server = fresh_server()
    arn = make_notebook(server, "nightly")["NotebookInstanceArn"]
    served_for(server, "nightly", HOUR)
    at = time.strftime("%H:%M", time.localtime())
    server.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": STOP_TAG, "Value": at}])
    until(lambda: settled(server, "nightly")["NotebookInstanceStatus"] == "Stopped")
