"""The live view as the device gives it: nothing while nobody looks, small pictures while somebody does."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.compiled_model import pictures
from tests.support.edge_agent import deploy, enrolled
from tests.support.house import House, house

from tobo.edge.agent import Agent
from tobo.edge.live import EVERY, LARGEST, small_jpeg
from tobo.edge.ports import CameraFault, Frame


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "house") as made:
        yield made


def show(agent: Agent) -> bool:
    return agent.deeds["live"].runner.try_once()


def parts(agent: Agent, count: int) -> None:
    for _ in range(count):
        agent.loop.step(1.0)


def test_nothing_is_shown_while_nobody_looks(tmp_path: Path, home: House) -> None:
    agent, _ = enrolled(tmp_path, home, pictures() * 2)
    parts(agent, 2)
    assert show(agent) and show(agent)
    assert [asked.keys() for asked in home.shown] == [{"DeviceName", "DeviceFleetName"}] * 2
    assert agent.deeds["live"].runner.every == agent.settings.house.live


def test_what_is_shown_while_somebody_looks(tmp_path: Path, home: House) -> None:
    agent, _ = enrolled(tmp_path, home, [*pictures(3, 700), CameraFault("The camera 'x' has stopped.")])
    deploy(home, tmp_path, 1)
    agent.poll()
    parts(agent, 2)
    home.wanted = 20.0
    assert show(agent) and show(agent)
    assert agent.deeds["live"].runner.every == EVERY
    first = home.shown[-1]
    assert Image.open(io.BytesIO(base64.b64decode(first["Picture"]))).size == (320, 320)
    assert (first["Told"]["Decisions"], first["Told"]["Part"]["Number"]) == (2, 2)
    assert {one["Label"] for one in first["Told"]["Part"]["Scores"]} == {"ko", "ok"}
    assert show(agent)
    assert "Picture" not in home.shown[-1] and "Told" in home.shown[-1]  # the same frame is not sent again
    parts(agent, 2)
    assert show(agent)
    assert "Picture" in home.shown[-1] and home.shown[-1]["Told"]["Part"]["Fault"] == "The camera 'x' has stopped."
    home.wanted = 0.0
    assert show(agent) and show(agent)
    assert "Told" not in home.shown[-1] and agent.deeds["live"].runner.every == agent.settings.house.live
    home.wanted = 20.0
    assert show(agent) and show(agent)
    assert "Picture" in home.shown[-1]  # who looks next gets the frame of before


def test_a_house_that_is_away_is_asked_again_before_anything_is_shown(tmp_path: Path, home: House) -> None:
    agent, _ = enrolled(tmp_path, home, pictures())
    parts(agent, 1)
    home.wanted = 20.0
    assert show(agent)
    home.faults.refuse = (503, "ServiceUnavailable")
    assert not show(agent)
    home.faults.refuse = None
    assert show(agent) and "Told" not in home.shown[-1]
    assert show(agent) and "Picture" in home.shown[-1]


def test_a_nudge_wakes_it(tmp_path: Path, home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, _ = enrolled(tmp_path, home, pictures())
    woken: list[str] = []
    for name, deed in agent.deeds.items():
        monkeypatch.setattr(deed.runner, "wake", lambda name=name: woken.append(name))
    agent._nudged()
    assert woken == ["updates", "live"]


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (24, 3000, 3), (16, 16, 3)])
def test_every_picture_fits(shape: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    found = small_jpeg(Frame(noise, 0.0, 1))
    assert len(found) <= LARGEST
    assert max(Image.open(io.BytesIO(found)).size) <= 320
