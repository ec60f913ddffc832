"""Whole agents for tests: a scripted line, a house or none, settings in a folder of their own."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.support.compiled_model import bundle, compiled_folder
from tests.support.house import House
from tests.support.scripted_line import ScriptedArm, scripted

from tobo.edge.agent import Agent
from tobo.edge.health import Limits
from tobo.edge.settings import PageSettings, Settings


def settings_in(tmp_path: Path, **changed: Any) -> Settings:
    """Without a page, without an enrolment."""
    folder = tmp_path / "conf"
    folder.mkdir(exist_ok=True)
    return replace(
        Settings(folder=folder, state=tmp_path / "state", page=PageSettings(port=0), trial=Limits(decisions=10)),
        **changed,
    )


def standalone(tmp_path: Path, script: Iterable[np.ndarray | Exception], **changed: Any) -> tuple[Agent, ScriptedArm]:
    """An agent with a model of its own."""
    model = compiled_folder(tmp_path / "model")
    line, arm, _ = scripted(script)
    agent = Agent(settings_in(tmp_path, model=str(model), **changed), line, seed=1)
    agent.start()
    return agent, arm


def enrolled(
    tmp_path: Path, home: House, script: Iterable[np.ndarray | Exception], **changed: Any
) -> tuple[Agent, ScriptedArm]:
    """An agent of a house's device."""
    settings = settings_in(tmp_path, **changed)
    if not settings.enrolment.exists():
        settings.enrolment.symlink_to(home.enrolment)
    line, arm, _ = scripted(script)
    agent = Agent(settings, line, seed=1)
    agent.start()
    return agent, arm


def deploy(home: House, folder: Path, sequence: int) -> None:
    """The house names a deployment `d<sequence>` of a bundle of this sequence."""
    archive = bundle(folder / f"v{sequence}", home.key, sequence)
    home.deploy(f"d{sequence}", archive, hashlib.sha1(archive.read_bytes()).hexdigest())
