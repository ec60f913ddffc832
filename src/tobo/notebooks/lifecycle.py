"""A lifecycle script: bash in the home of the instance. TOBO_SCRIPT is its file."""

import os
from typing import NoReturn

from tobo.notebooks.home import open_way, prepare


def main() -> NoReturn:
    """Becomes the script; its exit code is the process's own."""
    variables = prepare()
    script = os.environ["TOBO_SCRIPT"]
    os.chdir(variables["HOME"])
    if gateway := os.environ.get("TOBO_GATEWAY"):
        _beside_the_way(gateway, script, variables)
    os.execve("/bin/bash", ["bash", script], variables)


def _beside_the_way(gateway: str, script: str, variables: dict[str, str]) -> NoReturn:
    """The script as a child: this process carries its connections."""
    open_way(gateway)
    child = os.spawnve(os.P_WAIT, "/bin/bash", ["bash", script], variables)
    raise SystemExit(child if child >= 0 else 128 - child)
