"""The command `tobo-edge`; argparse alone, so that it starts on a small device at once."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

# numpy's linear algebra would start threads and take memory for each core, and the agent needs none of it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tobo.edge import settings
from tobo.edge.durable import read_json
from tobo.edge.settings import BadSettings, Settings
from tobo.kit.memory import share_one_arena

_MARKS = {"ok": "ok     ", "weak": "weak   ", "missing": "MISSING"}


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 1 where something is wrong with the device, 2 where the command is."""
    parser = argparse.ArgumentParser("tobo-edge", description="Sorts what a camera sees, with a model from your house.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, deed, text in (
        ("run", _run, "sort until stopped"),
        ("doctor", _doctor, "what works on this device, and how to mend the rest"),
        ("status", _status, "what the running agent does, and the address of its page"),
        ("install", _install, "enrolment, settings and systemd unit"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--folder", type=Path, default=settings.FOLDER, help="agent.toml and enrolment/ (%(default)s)"
        )
        command.set_defaults(deed=deed)
        if name == "install":
            command.add_argument("enrolment", type=Path, nargs="?", help="the folder that `tobo edge enroll` made")
            command.add_argument(
                "--state", type=Path, default=settings.STATE, help="what the agent keeps (%(default)s)"
            )
            command.add_argument(
                "--user", default=os.environ.get("SUDO_USER", "root"), help="runs the agent (%(default)s)"
            )
            command.add_argument(
                "--unit", type=Path, help="the systemd unit's file (where systemd runs: its usual place)"
            )
    asked = parser.parse_args(arguments)
    try:
        return int(asked.deed(asked))
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2


def _run(asked: argparse.Namespace) -> int:
    from tobo.edge.agent import Agent
    from tobo.edge.compiled import BadModel
    from tobo.edge.enrolment import BadEnrolment
    from tobo.edge.ports import ActuatorFault, CameraFault

    share_one_arena()
    found = settings.read(asked.folder)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        Agent(found).run()
    except (BadEnrolment, BadModel, CameraFault, ActuatorFault, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _doctor(asked: argparse.Namespace) -> int:
    from tobo.edge.doctor import examine

    findings = examine(settings.read(asked.folder))
    for finding in findings:
        print(f"{finding.what:<12} {_MARKS[finding.verdict]} {finding.found}")
        if finding.mend:
            print(f"{'':<20} -> {finding.mend}")
    return int(any(finding.verdict == "missing" for finding in findings))


def _status(asked: argparse.Namespace) -> int:
    found = settings.read(asked.folder)
    page = read_json(found.state / "page.json")
    state = _ask(page["url"]) if page is not None else None
    if page is None or state is None:
        print(f"The agent does not run, or shows no page.{_sorts_with(found)}")
        return 1
    model, counts, latency = state["model"], state["counts"], state["latency_ms"]
    print(f"device   {state['device'] or 'not enrolled'} {state['fleet']}".rstrip())
    print(
        f"model    {model['name']} {model['version']}{' (on trial)' if model['trial'] else ''}"
        if model
        else "model    none yet"
    )
    print(
        f"parts    {counts['decisions']}: {counts['ok']} ok, {counts['ko']} ko ({counts['late']} late, {counts['faults']} faults)"
    )
    if latency:
        print(f"latency  p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms from frame to command")
    if state["override"] != "auto":
        print(f"override every part is {state['override']}")
    if state["last"] and state["last"]["fault"]:
        print(f"fault    {state['last']['fault']}")
    if state["outbox"]:
        print(f"outbox   {state['outbox']['bytes'] / 1e6:.1f} MB, {state['outbox']['dropped']} dropped")
    for name, trouble in (state["house"] or {}).items():
        if trouble:
            print(f"{name:<8} {trouble}")
    print(f"page     {page['url']}#token={page['token']}")
    return 0


def _sorts_with(found: Settings) -> str:
    slots = read_json(found.state / "slots" / "current.json")
    return f" Its version is in slot {slots['slot']}." if slots and slots.get("slot") else ""


def _ask(url: str) -> Any:
    """The running agent's state; None where none answers."""
    import urllib.request

    try:
        with urllib.request.urlopen(f"{url}state.json", timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _install(asked: argparse.Namespace) -> int:
    from tobo.edge.enrolment import BadEnrolment
    from tobo.edge.install import UNIT, install

    unit = asked.unit or (UNIT if Path("/run/systemd/system").is_dir() else None)
    try:
        done = install(asked.enrolment, asked.folder, asked.state, asked.user, unit)
    except BadEnrolment as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, LookupError) as error:
        print(f"{error}; run it with sudo, or name another --folder, --state and --unit.", file=sys.stderr)
        return 1
    for path in done.written:
        print(f"wrote {path}")
    for path in done.kept:
        print(f"kept  {path}")
    print(f"Edit {asked.folder / settings.FILE}, then: tobo-edge doctor --folder {asked.folder}")
    if unit is not None:
        print("Start: sudo systemctl daemon-reload && sudo systemctl enable --now tobo-edge")
    return 0
