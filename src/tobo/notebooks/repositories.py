"""Clones Git repositories into the volume. TOBO_REPOSITORIES is JSON: [[address, branch or ""], ...].

What is there already is left as it is: it is the user's own from the first clone on.
"""

import json
import os
import re
import subprocess
from pathlib import Path

from tobo.kit.guest import UserError, run_guest
from tobo.notebooks.home import prepare


def main() -> None:
    run_guest(_clone_all)


def _clone_all() -> None:
    variables = {**prepare(), "GIT_TERMINAL_PROMPT": "0"}
    volume = Path(variables["HOME"]) / "SageMaker"
    for address, branch in json.loads(os.environ["TOBO_REPOSITORIES"]):
        name = address.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or name in (".", ".."):
            raise UserError(f"'{without_password(address)}' names no folder to clone into")
        if (volume / name).exists():
            continue
        command = ["git", "clone", "--quiet", *(["--branch", branch] if branch else []), "--", address, name]
        told = subprocess.run(command, cwd=volume, env=variables, capture_output=True, text=True, check=False)
        if told.returncode:
            last = (told.stderr.strip().splitlines() or ["git said nothing"])[-1]
            raise UserError(f"git clone {without_password(address)} failed: {without_password(last)}")
        print(f"Cloned {without_password(address)} into {name}.", flush=True)


def without_password(text: str) -> str:
    """Addresses may carry one, and logs are read by others."""
    return re.sub(r"//[^/@\s]*@", "//", text)
