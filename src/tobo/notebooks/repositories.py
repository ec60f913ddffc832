"""Clones Git repositories into the volume. TOBO_REPOSITORIES is JSON: [[address, branch or "", secret's ARN or ""], ...].

What is there already is left as it is: it is the user's own from the first clone on.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tobo.kit.guest import UserError, run_guest
from tobo.notebooks.git_credentials import MARK
from tobo.notebooks.home import prepare


def main() -> None:
    run_guest(_clone_all)


def _clone_all() -> None:
    variables = {**prepare(), "GIT_TERMINAL_PROMPT": "0"}
    volume = Path(variables["HOME"]) / "SageMaker"
    for address, branch, secret in json.loads(os.environ["TOBO_REPOSITORIES"]):
        name = address.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or name in (".", ".."):
            raise UserError(f"'{without_password(address)}' names no folder to clone into")
        if (volume / name).exists():
            continue
        options = [*(["--branch", branch] if branch else []), *(_with_secret(secret) if secret else [])]
        command = ["git", "clone", "--quiet", *options, "--", address, name]
        told = subprocess.run(command, cwd=volume, env=variables, capture_output=True, text=True, check=False)
        if told.returncode:
            said = told.stderr.strip().splitlines() or ["git said nothing"]
            why = next((line.removeprefix(MARK) for line in said if line.startswith(MARK)), said[-1])
            raise UserError(f"git clone {without_password(address)} failed: {without_password(why)}")
        print(f"Cloned {without_password(address)} into {name}.", flush=True)


def _with_secret(secret: str) -> list[str]:
    """Options that have git ask for user name and password when it needs them: now, and whenever the user pulls or pushes."""
    helper = f"!{shlex.join([sys.executable, '-P', '-m', 'tobo.notebooks.git_credentials', secret])}"
    return ["--config", f"credential.helper={helper}"]


def without_password(text: str) -> str:
    """Addresses may carry one, and logs are read by others."""
    return re.sub(r"//[^/@\s]*@", "//", text)
