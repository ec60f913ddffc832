"""Drift: the stability index of scores, and the alarm when it leaves its band."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.support.memory_home import MemoryHome
from tests.support.scripted_line import Brightness

from tobo.edge.decision import Decision
from tobo.edge.drift import ScoreDrift, stability_index
from tobo.edge.keeper import Keeper
from tobo.edge.loop import Model
from tobo.edge.outbox import Outbox
from tobo.edge.records import Record, Records


@pytest.mark.parametrize(
    ("expected", "observed", "index"),
    [
        ([10, 20, 30], [10, 20, 30], 0.0),
        ([10, 20, 30], [100, 200, 300], 0.0),
        ([50, 50], [60, 40], 0.0405),  # 0.1 ln 1.2 - 0.1 ln 0.8
        ([50, 50], [90, 10], 0.8789),
        ([100, 0], [0, 100], 13.8),
        ([0, 0], [1, 2], 0.0),
        ([1, 2], [0, 0], 0.0),
    ],
)
def test_stability_index(expected: list[int], observed: list[int], index: float) -> None:
    assert stability_index(expected, observed) == pytest.approx(index, rel=2e-3, abs=1e-9)


def test_it_takes_enough_scores_and_forgets_old_ones() -> None:
    drift = ScoreDrift(("ko", "ok"), {"ok": (0,) * 9 + (100,)}, window=100)
    for _ in range(19):
        drift.note((0.02, 0.98))
    assert drift.index() is None
    drift.note((0.0, 1.0))
    assert drift.index() == pytest.approx(0.0)
    for _ in range(100):
        drift.note((0.6, 0.4))
    assert (drift.index() or 0) > 5
    for _ in range(100):
        drift.note((0.02, 0.98))
    assert drift.index() == pytest.approx(0.0)
    assert ScoreDrift(("ko", "ok"), {}).index() is None


def test_an_alarm_when_it_leaves_its_band_and_when_it_is_back(tmp_path: Path) -> None:
    home, records = MemoryHome(), Records()
    outbox = Outbox(tmp_path / "outbox", 1_000_000, now=home.now)
    keeper = Keeper(records, outbox, home.now, every=60)
    keeper.begin(Model(Brightness(), "m"), ScoreDrift(("ko", "ok"), {"ok": (0,) * 9 + (100,)}, window=50))
    rng = np.random.default_rng(1)
    for level in (0.95, 0.95, 0.5, 0.5, 0.95, 0.95):
        for number in range(50):
            ok = float(np.clip(rng.normal(level, 0.01), 0, 1))
            records.put(Record(number, 0.0, Decision("ok", "class", "ok", ok, 0.9), (1 - ok, ok), 0.001, "m"))
        home.at += 61
        keeper.step()
    outbox.send(home, "s3://b/")
    events = [json.loads(line) for body in home.objects.values() for line in body.splitlines()]
    assert [event["over"] for event in events if event["kind"] == "drift"] == [True, False]
    assert sum(event["decisions"] for event in events if event["kind"] == "counts") == 300
