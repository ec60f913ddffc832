"""The whole agent: what it sorts with, what it tells its house, and what it remembers."""

import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.compiled_model import compiled_folder, pictures
from tests.support.edge_agent import deploy, enrolled, settings_in, standalone
from tests.support.house import OUTPUT, House, house
from tests.support.scripted_line import scripted

from tobo.edge.agent import Agent
from tobo.edge.compiled import BadModel
from tobo.edge.controls import BadChange
from tobo.edge.loop import Keeping
from tobo.edge.ports import CameraFault
from tobo.edge.settings import DecisionSettings, HouseSettings


def parts(count: int | None = None) -> Iterator[np.ndarray]:
    """Marbles, the same few again and again, as different as a sensor makes them."""
    for number in itertools.count() if count is None else range(count):
        picture = pictures()[number % 3].copy()
        picture[0, 0] = number % 256
        yield picture


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "house") as made:
        yield made


def sort(agent: Agent, count: int) -> None:
    for _ in range(count):
        agent.loop.step(1.0)


def events(home: House) -> list[dict[str, Any]]:
    bodies = [body for key, body in home.objects.items() if "/events/" in key]
    return sorted((json.loads(line) for body in bodies for line in body.splitlines()), key=lambda event: event["id"])


def test_a_device_is_deployed_to_and_tells_its_house(tmp_path: Path, home: House) -> None:
    agent, arm = enrolled(tmp_path, home, parts(), keep=Keeping(margin=1.0))
    sort(agent, 2)
    assert arm.turns == ["ko", "ko"]
    deploy(home, tmp_path, 1)
    agent.poll()
    sort(agent, 10)
    agent.keeper.finish()
    agent.heartbeat()
    agent.send()
    assert agent.slot is not None and agent.slot.manifest.sequence == 1
    assert home.heartbeats[0]["DeploymentResult"]["DeploymentStatus"] == "SUCCESS"
    beat = home.heartbeats[1]
    metrics = {(one["MetricName"], one.get("Dimension")): one["Value"] for one in beat["AgentMetrics"]}
    assert metrics["Decisions", None] == 12 and metrics["Rejects", None] == agent.loop.tally.rejects
    assert 0 < metrics["Latency", "p50"] <= metrics["Latency", "p99"] and metrics["OutboxBytes", None] > 0
    assert beat["Models"][0]["ModelVersion"] == "1.0"
    assert {"LatestInference", "LatestSampleTime"} < beat["Models"][0].keys()
    told = events(home)
    counts = [event for event in told if event["kind"] == "counts"]
    assert sum(event["decisions"] for event in counts) == 12
    frames = [event for event in told if event["kind"] == "frame"]
    prefix = OUTPUT.removeprefix("s3://")
    assert len(frames) == 10 and frames[0]["kept"] == "margin" and set(frames[0]["scores"]) == {"ko", "ok"}
    for frame in frames:
        assert home.objects[f"{prefix}frames/{frame['id']:020d}.jpg"][:2] == b"\xff\xd8"
        assert json.loads(home.objects[f"{prefix}frames/{frame['id']:020d}.json"])["margin"] == frame["margin"]
    assert agent.outbox is not None and agent.outbox.size == 0
    agent.heartbeat()
    assert home.heartbeats[-1]["AgentMetrics"][0]["Value"] == 0
    assert home.heartbeats[-1]["Models"][0].keys() == {"ModelName", "ModelVersion"}


def test_an_update_does_not_stop_the_belt(tmp_path: Path, home: House) -> None:
    agent, arm = enrolled(tmp_path, home, parts())
    deploy(home, tmp_path, 1)
    agent.poll()
    sort(agent, 5)
    deploy(home, tmp_path, 2)
    updating = threading.Thread(target=agent.poll)
    updating.start()
    while updating.is_alive():
        agent.loop.step(1.0)
        time.sleep(0.001)
    updating.join()
    sort(agent, 20)
    records = agent.records.take()
    assert len(records) == len(arm.turns) and not any(record.fault for record in records)
    models = [digest for digest, _ in itertools.groupby(record.model for record in records)]
    assert len(models) == 2  # one after the other, no part between them
    for record in records:
        agent.updater.note(record)  # type: ignore[union-attr]
    agent.poll()
    assert [beat["DeploymentResult"]["DeploymentName"] for beat in home.heartbeats] == ["d1", "d2"]


def test_an_ill_update_is_taken_back_while_the_belt_runs(tmp_path: Path, home: House) -> None:
    agent, _ = enrolled(tmp_path, home, parts())
    for sequence in (1, 2):
        deploy(home, tmp_path, sequence)
        agent.poll()
        if sequence == 1:
            sort(agent, 5)
            agent.keeper.step()
    agent.loop.model = replace(agent.loop.model, classifier=replace(agent.loop.model.classifier, run=lambda _: 1 / 0))  # type: ignore
    sort(agent, 2)
    agent.keeper.step()
    sort(agent, 3)
    assert agent.slot is not None and agent.slot.manifest.sequence == 1
    assert agent.loop.tally.faults == 2
    agent.poll()
    assert home.heartbeats[-1]["DeploymentResult"]["DeploymentStatus"] == "FAIL"


def test_faults_are_events_when_they_begin_and_end(tmp_path: Path, home: House) -> None:
    gone = CameraFault("The camera 'x' has stopped; plug it in again.")
    agent, _ = enrolled(tmp_path, home, [gone, gone, *parts(2), gone, *parts(1)])
    deploy(home, tmp_path, 1)
    agent.poll()
    sort(agent, 6)
    agent.keeper.finish()
    agent.send()
    faults = [(event["number"], event["fault"]) for event in events(home) if event["kind"] == "fault"]
    assert faults == [(1, str(gone)), (3, None), (5, str(gone)), (6, None)]


def test_days_offline_then_everything_comes_home_once(tmp_path: Path, home: House) -> None:
    agent, arm = enrolled(tmp_path, home, parts(), keep=Keeping(margin=1.0))
    deploy(home, tmp_path, 1)
    agent.poll()
    home.faults.refuse = (503, "ServiceUnavailable")
    for number in range(30):
        sort(agent, 2)
        agent.keeper.finish()
        if number % 10 == 0:
            assert not agent.deeds["outbox"].runner.try_once() and not agent.deeds["heartbeat"].runner.try_once()
        if number == 15:
            agent.line.close()
            agent, arm = enrolled(tmp_path, home, parts(), keep=Keeping(margin=1.0))
    assert arm.turns.count("ok") + arm.turns.count("ko") == 28 and agent.deeds["outbox"].runner.trouble is not None
    home.faults.refuse = None
    assert agent.deeds["outbox"].runner.try_once()
    told = events(home)
    assert len({event["id"] for event in told}) == len(told)
    assert sum(event["decisions"] for event in told if event["kind"] == "counts") == 60
    assert sum(key.endswith(".jpg") for key in home.puts) == 60


def test_without_a_house_it_sorts_with_a_model_of_its_own(tmp_path: Path) -> None:
    agent, arm = standalone(tmp_path, parts())
    sort(agent, 3)
    agent.beside()
    assert len(arm.turns) == 3 and agent.outbox is None and set(agent.deeds) == {"keeper"}


def test_a_model_that_could_never_accept_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, model=str(compiled_folder(tmp_path / "model")))
    settings = replace(settings, decision=DecisionSettings(accept=("good",)))
    with pytest.raises(BadModel, match=r"labels are ko, ok; this line accepts good: set \[decision\] accept"):
        Agent(settings, scripted([])[0]).start()


def test_a_threshold_and_an_override_outlive_a_restart(tmp_path: Path) -> None:
    agent, _ = standalone(tmp_path, parts())
    agent.controls.set_threshold("ok", 0.99)
    agent.controls.set_threshold("ko", 0.5)
    agent.controls.set_threshold("ko", None)
    agent.controls.set_override("ko")
    assert (agent.loop.rule.thresholds, agent.loop.rule.override) == ({"ok": 0.99}, "ko")
    again = Agent(agent.settings, scripted(parts())[0])
    again.start()
    assert (again.loop.rule.thresholds, again.loop.rule.override) == ({"ok": 0.99}, "ko")
    for change in (
        lambda: again.controls.set_threshold("blue", 0.5),
        lambda: again.controls.set_threshold("ok", 1.5),
        lambda: again.controls.set_override("maybe"),
    ):
        with pytest.raises(BadChange):
            change()


def test_a_disk_that_takes_nothing_stops_no_belt(tmp_path: Path, home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, _ = enrolled(tmp_path, home, parts())
    for sequence in (1, 2):
        deploy(home, tmp_path, sequence)
        agent.poll()
        if sequence == 1:
            sort(agent, 1)
    assert agent.updater is not None and agent.updater.on_trial

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for deed in ("write", "append", "remove", "rename", "make_folder"):
        monkeypatch.setattr(f"tobo.edge.durable.Disk.{deed}", full)
    again, arm = enrolled(tmp_path, home, parts(), keep=Keeping(margin=1.0))  # on trial, it wants to count its start
    sort(again, 20)
    again.controls.set_threshold("ok", 0.1)
    again.keeper.step()
    assert len(arm.turns) == 20 and again.loop.tally.faults == 0
    assert again.outbox is None  # it could not even be opened
    assert not again.updater.on_trial  # type: ignore[union-attr]


def test_run_ends_at_rest_and_tells_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        agent, arm = standalone(tmp_path, parts())
        agent.run(lambda: len(arm.turns) >= 50)
        while not told or told[-1] != b"STOPPING=1":
            told.append(systemd.recv(1000))
    assert told[0].startswith(b"READY=1") and b"WATCHDOG=1" in told
    assert arm.closed and len(arm.turns) == 50
    assert not any(thread.name in agent.deeds for thread in threading.enumerate())


def test_a_simulated_line_turns_what_is_beside_it_in_its_own_time(tmp_path: Path, home: House) -> None:
    agent, _ = enrolled(tmp_path, home, parts(), house=HouseSettings(poll=20, heartbeat=10, send=30))
    begin = agent.line.timer.now()
    while agent.line.timer.now() - begin < 60:
        agent.loop.step(1.0)
        agent.beside()
    assert len(home.heartbeats) == 6 and os.environ.get("NOTIFY_SOCKET") is None
