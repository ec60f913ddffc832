"""A real agent that sorts a simulated line in a thread, enrolled at a real server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.compiled_model import compiled_folder

from tobo.edge import classifier, loop
from tobo.edge.agent import Agent
from tobo.edge.loop import Model
from tobo.edge.settings import HouseSettings, PageSettings, Settings
from tobo.line.clock import RealClock
from tobo.line.config import LineConfig
from tobo.line.twin import Line


@contextmanager
def sorting(enrolment: Path, folder: Path) -> Iterator[Agent]:
    """An agent that asks once a second whether somebody looks, with a model of random weights."""
    (folder / "conf").mkdir()
    (folder / "conf" / "enrolment").symlink_to(enrolment)
    line = Line(LineConfig(seed=3, size=224), RealClock(2.0))
    settings = Settings(folder / "conf", folder / "state", page=PageSettings(port=0), house=HouseSettings(live=1.0))
    agent = Agent(settings, loop.Line(line.timer, line.trigger, line.camera, line.actuator), seed=1)
    agent.loop.model = Model(classifier.load(compiled_folder(folder / "model")))
    over = threading.Event()
    thread = threading.Thread(target=lambda: agent.run(over.is_set))
    thread.start()
    try:
        yield agent
    finally:
        over.set()
        thread.join()
