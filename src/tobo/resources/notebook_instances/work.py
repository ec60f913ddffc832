"""What the controller does for a notebook instance; each command is safe to repeat."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

from tobo.compute.base import Exited, Running
from tobo.kit.fault import Fault
from tobo.kit.strangers import read_told
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, key_in_memory, register
from tobo.operations.metering import METERS, Meter, Usage
from tobo.resources.notebook_instances import states, surroundings
from tobo.resources.notebook_instances.activity import Watch, ask
from tobo.resources.notebook_instances.api import KIND
from tobo.resources.notebook_instances.requests import repositories
from tobo.resources.notebook_instances.rules import stop_reason
from tobo.resources.notebook_instances.sessions import address_of, folder_of, socket_of, token_of
from tobo.resources.notebook_instances.surroundings import GROUP, places, settings_of
from tobo.store.base import Row

POLL_SECONDS = 0.1
SUPERVISE_SECONDS = 1.0
SCRIPT_SECONDS = 300.0
"""A lifecycle script's time (SageMaker Developer Guide, "Customization of a SageMaker notebook instance using an LCC script")."""
CLONE_SECONDS = 600.0
START_SECONDS = 120.0
"""Until JupyterLab answers."""
STEADY_SECONDS = 60.0
"""A JupyterLab that dies later than this after its start is started again; one that dies sooner would die again."""
GRACE = 10.0
WRITE_SECONDS = 15.0
"""How exactly the time of the last work is kept over a restart of the server."""

_watches: dict[tuple[str, int], Watch] = {}
"""What this server process has seen of the instances in service, by state folder and row."""


def lay_out(context: Context, row: Row) -> Outcome:
    """Its folders, and who it is."""
    surroundings.lay_out(context, row)
    return Done()


def clone(context: Context, row: Row) -> Outcome:
    """The code repositories that are not in the volume yet. Raises Fault where one cannot be had."""
    named = [_repository(context, row, one) for one in repositories(settings_of(row))]
    if not named:
        return Done()
    variables = {"TOBO_REPOSITORIES": json.dumps(named)}
    look = _run(context, row, "git", "tobo.notebooks.repositories:main", "git.log", variables, {})
    if isinstance(look, Running):
        return _in_time(context, row, "git", look, CLONE_SECONDS, "Cloning the code repositories")
    if look.code != 0:
        its = places(context, row)
        told = read_told(its.root, its.failure) or look.reason
        raise Fault("ClientError", f"{told} ({_logged(row, 'git.log')})")
    return Done()


def on_create(context: Context, row: Row) -> Outcome:
    """The lifecycle configuration's OnCreate script, the first time only."""
    return Done() if row.found.get("_created") else _script(context, row, "OnCreate", {"_created": True})


def on_start(context: Context, row: Row) -> Outcome:
    """The lifecycle configuration's OnStart script."""
    return _script(context, row, "OnStart", {})


def launch(context: Context, row: Row) -> Outcome:
    """JupyterLab; idempotent by the process' name."""
    _run_jupyter(context, row)
    return Done()


def await_ready(context: Context, row: Row) -> Outcome:
    """Until JupyterLab answers. Raises Fault where it died or takes too long."""
    look = context.compute.poll(_jupyter(row))
    if not isinstance(look, Running):
        raise Fault("InternalServerError", f"JupyterLab did not start: {_why(look)} ({_logged(row, 'jupyter.log')})")
    if _answers(context, row):
        return Happened("ready")
    if context.clock.now() - look.started > START_SECONDS:
        raise Fault(
            "InternalServerError",
            f"JupyterLab did not answer within {START_SECONDS:g} s ({_logged(row, 'jupyter.log')})",
        )
    return Again(POLL_SECONDS)


def supervise(context: Context, row: Row) -> Outcome:
    """Keeps JupyterLab alive and its credentials fresh, and stops an instance that its rules want stopped."""
    look = context.compute.poll(_jupyter(row))
    if look is None:
        _run_jupyter(context, row)  # the next one, after one that has died
        return Again(SUPERVISE_SECONDS)
    if isinstance(look, Exited):
        return _died(row, look)
    now = context.clock.now()
    watch = _watches.setdefault(key_in_memory(context, row), Watch())
    if now - watch.identified > surroundings.CREDENTIALS_SECONDS / 2:
        surroundings.write_identity(context, row)  # also after a restart, when the server may have another port
        watch.identified = now
    worked = watch.worked(context, row, _jupyter(row), now)
    active = now if worked else max(row.found["_active"], watch.active)
    watch.active = active
    settings = context.settings
    why = stop_reason(
        row.tags, settings.notebook_idle_minutes, settings.notebook_stop_at, row.found["_since"], active, now
    )
    if why:
        return Happened("stop", {"_active": active}, why)
    return Again(SUPERVISE_SECONDS, {"_active": active} if active - row.found["_active"] > WRITE_SECONDS else None)


def halt(context: Context, row: Row) -> Outcome:
    """Until none of its processes is left; then what they left is removed."""
    names = _processes(row)
    for name in names:
        context.compute.terminate(name, GRACE)
    if any(isinstance(context.compute.poll(name), Running) for name in names):
        return Again(POLL_SECONDS)
    for name in names:
        context.compute.forget(name)
    surroundings.tidy(context, row)
    _watches.pop(key_in_memory(context, row), None)
    return Happened("halted")


def settle(context: Context, row: Row) -> Outcome:
    """An update counts from the next start on."""
    return Happened("updated")


def remove(context: Context, row: Row) -> Outcome:
    """The volume, and at last the row itself; the logs stay."""
    shutil.rmtree(folder_of(context.settings, row), ignore_errors=True)
    context.store.delete(row)
    return Done()


def _script(context: Context, row: Row, hook: str, found: dict[str, Any]) -> Outcome:
    """A script of the lifecycle configuration, from start to end. Raises Fault where it fails or takes too long."""
    name = settings_of(row).get("NotebookInstanceLifecycleConfigName")
    if not name:
        return Done(found)
    config = context.as_house(
        row.key.space,
        "sagemaker",
        "DescribeNotebookInstanceLifecycleConfig",
        NotebookInstanceLifecycleConfigName=name,
    )
    scripts = config.get(hook)
    if not scripts:
        return Done(found)
    stream = f"LifecycleConfig{hook}"
    file = places(context, row).metadata / hook
    if not file.exists():  # of this start: one that is changed meanwhile counts from the next one on
        file.write_bytes(base64.b64decode(scripts[0]["Content"]))
    look = _run(context, row, hook, "tobo.notebooks.lifecycle:main", stream, {}, {"TOBO_SCRIPT": file})
    what = f"Notebook Instance Lifecycle Config '{config['NotebookInstanceLifecycleConfigArn']}' for Notebook Instance '{row.arn}'"
    if isinstance(look, Running):
        return _in_time(context, row, hook, look, SCRIPT_SECONDS, what, stream)
    if look.code != 0:
        raise Fault("ClientError", f"{what} failed: {hook}: {_why(look)} ({_logged(row, stream)})")
    return Done(found)


def _run(
    context: Context,
    row: Row,
    part: str,
    entry: str,
    stream: str,
    variables: dict[str, str],
    paths: dict[str, Path],
) -> Running | Exited:
    """Starts a process that shall end, and looks at it."""
    name = _process(row, part)
    context.compute.start(surroundings.process(context, row, name, entry, stream, variables, paths))
    look = context.compute.poll(name)
    assert look is not None
    return look


def _in_time(
    context: Context, row: Row, part: str, look: Running, seconds: float, what: str, stream: str = "git.log"
) -> Outcome:
    """To look again; raises Fault where its time is over, and ends it."""
    if context.clock.now() - look.started <= seconds:
        return Again(POLL_SECONDS)
    context.compute.terminate(_process(row, part), 0.0)
    raise Fault("ClientError", f"{what} took longer than {seconds / 60:g} minutes ({_logged(row, stream)})")


def _run_jupyter(context: Context, row: Row) -> None:
    address = address_of(context.settings, row.key)
    variables = {"TOBO_BASE": address.base, "JUPYTER_TOKEN": token_of(context.settings, row)}
    paths = {"TOBO_SOCKET": socket_of(context.settings, row)}
    context.compute.start(
        surroundings.process(context, row, _jupyter(row), "tobo.notebooks.serve:main", "jupyter.log", variables, paths)
    )


def _answers(context: Context, row: Row) -> bool:
    try:
        ask(socket_of(context.settings, row), f"/notebook/{row.key.name}/api/status", token_of(context.settings, row))
    except OSError:
        return False
    return True


def _died(row: Row, look: Exited) -> Outcome:
    """Another JupyterLab, unless this one has died at once."""
    if look.at - (row.found.get("_launched") or row.found["_since"]) < STEADY_SECONDS:
        return Happened("failed", message=f"JupyterLab died: {_why(look)} ({_logged(row, 'jupyter.log')})")
    return Again(POLL_SECONDS, {"_launch": row.found["_launch"] + 1, "_launched": look.at})


def _repository(context: Context, row: Row, named: str) -> tuple[str, str, str]:
    """(address, branch or "", ARN of the secret with user name and password or "")."""
    if named.startswith("https://"):
        return named, "", ""
    found = context.as_house(row.key.space, "sagemaker", "DescribeCodeRepository", CodeRepositoryName=named)
    config = found["GitConfig"]
    return config["RepositoryUrl"], config.get("Branch", ""), config.get("SecretArn", "")


def _process(row: Row, part: str) -> str:
    """Unique for good: a start has another number, an instance that was made anew another row."""
    space = row.key.space
    return f"{KIND}/{space.account}/{space.region}/{row.key.name}/{row.id}/{row.found['_start']}/{part}"


def _jupyter(row: Row) -> str:
    return _process(row, f"jupyter-{row.found['_launch']}")


def _processes(row: Row) -> list[str]:
    launches = (f"jupyter-{number}" for number in range(1, row.found["_launch"] + 1))
    return [_process(row, part) for part in ("git", "OnCreate", "OnStart", *launches)]


def _why(look: Exited | None) -> str:
    return "The record of its process is gone." if look is None else look.reason or f"It ended with code {look.code}."


def _logged(row: Row, stream: str) -> str:
    return f"log group {GROUP}, stream {row.key.name}/{stream}"


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(
            lay_out,
            clone,
            on_create,
            on_start,
            launch,
            await_ready,
            supervise,
            halt,
            settle,
            remove,
        ),
        on_step=states.on_step,
    )
)


def planned(row: Row) -> list[Usage]:
    return [Usage(row.asked["InstanceType"])]


METERS[KIND] = Meter(lambda row: planned(row) if row.state == "InService" else [], ("InService",), planned)
