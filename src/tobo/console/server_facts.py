"""Server facts: what an administrator wants to know of this server: settings, sizes, the instance catalogue."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tobo import __version__
from tobo.compute.instances import PRICE_DATE, PRICE_SOURCE, Instance, instance, instance_names
from tobo.operations.context import Context, Principal

VARIABLES: Mapping[str, str] = {"state": "TOBO_STATE"}
"""Settings whose variable is not TOBO_ and their name."""

_HIDDEN = ("root_secret_access_key", "notification_webhook", "metrics_token", "smtp")
"""A webhook's address is often its password, too."""


@dataclass(frozen=True)
class Setting:
    """One as it is in effect; `variable` of the server's environment changes it at the next start."""

    name: str
    variable: str
    value: str
    chosen: bool


def is_root(principal: Principal) -> bool:
    """The account's root itself, or an unlimited session of it: only that may see how the server is set up."""
    return principal.statements is None and principal.limits is None


def settings_of(context: Context, environment: Mapping[str, str] = os.environ) -> list[Setting]:
    """In the order of settings.py; secrets are dots."""
    found = []
    for field in fields(context.settings):
        variable = VARIABLES.get(field.name, f"TOBO_{field.name.upper()}")
        value: Any = getattr(context.settings, field.name)
        shown = "none" if value is None else "••••••••" if field.name in _HIDDEN else str(value)
        found.append(Setting(field.name.replace("_", " "), variable, shown, bool(environment.get(variable))))
    return found


def version() -> str:
    return __version__


def sizes_of(context: Context) -> list[tuple[str, int]]:
    """(folder or file of the state folder, bytes on the disk), the largest first."""
    found = [(path.name, sum(_sizes(path))) for path in context.settings.state.iterdir()]
    return sorted(found, key=lambda each: -each[1])


def free_bytes(context: Context) -> int:
    disk = os.statvfs(context.settings.state)
    return disk.f_bavail * disk.f_frsize


def catalogue() -> list[Instance]:
    """Every type that a job may ask for, and this machine itself first."""
    return [instance("local"), *(instance(name) for name in instance_names())]


def price_note() -> str:
    return f"{PRICE_SOURCE}, {PRICE_DATE}"


def _sizes(path: Path) -> Iterator[int]:
    """Links are not followed; what goes away meanwhile counts nothing."""
    try:
        if path.is_symlink() or not path.is_dir():
            yield path.lstat().st_blocks * 512
            return
        children = list(path.iterdir())
    except OSError:
        return
    for child in children:
        yield from _sizes(child)
