"""Runs the user's own training code in its job: a script with arguments (SDK 2.x) or a command (SDK 3.x).

The server has laid everything out before: the source directory in code/, channels, configuration files. Environment:
TOBO_ML_ROOT names the /opt/ml tree, TOBO_FRAMEWORK the image's framework, TOBO_VENV the folder for the job's own Python
environment, TOBO_REQUIREMENTS and TOBO_ENVIRONMENT, where there is something to install, the requirements file and the
folder of the shared environment, and TOBO_COMMAND, where the job has a ContainerEntrypoint, that command as JSON.

How a script is run, what it finds and how its failure is told follow sagemaker-training-toolkit 5.1 (`entry_point`,
`process` and `errors` modules).
"""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from tobo.frameworks import FRAMEWORKS, arguments, environments
from tobo.frameworks.variables import training_variables
from tobo.kit.guest import UserError, run_guest
from tobo.kit.paths import MlPaths

_SAFE_ENTRY_POINT = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")
_KEPT = 16_384
"""Bytes of a script's stderr that are kept to tell why it failed."""


def main() -> None:
    """The entry of a job with an own script or command; ends with its exit code."""
    run_guest(_train)


def _train() -> None:
    paths = MlPaths.from_environment()
    python = prepare_python(Path(os.environ["TOBO_VENV"]))
    framework_module = {one.name: one.framework_module for one in FRAMEWORKS}[os.environ["TOBO_FRAMEWORK"]]
    os.environ.update(training_variables(paths, os.environ, framework_module))
    if command := os.environ.get("TOBO_COMMAND"):
        argv, folder = json.loads(command), paths.root
    else:
        argv, folder = _script(paths, python), paths.code
        os.environ["PYTHONPATH"] = ":".join(filter(None, (str(paths.code), os.environ.get("PYTHONPATH", ""))))
    print(f"Invoking: {shlex.join(argv)}", flush=True)
    _run(argv, folder, paths.failure)


def prepare_python(root: Path) -> Path:
    """This process's own environment below `root`, over the shared one with its requirements; gives its python.

    From here on PATH begins with their programs, and pip says only what matters. Raises UserError where the requirements
    cannot be installed.
    """
    for name in ("PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    below: list[Path] = []
    if requirements := os.environ.get("TOBO_REQUIREMENTS"):
        if find_spec("pip") is None:
            raise UserError("pip is not there to install requirements.txt; install it in the server's environment.")
        below.append(environments.install(Path(os.environ["TOBO_ENVIRONMENT"]), Path(requirements)))
    python = environments.create(root, *below)
    os.environ["PATH"] = environments.search_path([root, *below], os.environ.get("PATH", os.defpath))
    return python


def _script(paths: MlPaths, python: Path) -> list[str]:
    """The command that runs the entry point. Raises UserError where there is none to run."""
    decoded = arguments.decode(json.loads(paths.hyperparameters.read_text()))
    name = str(os.environ.get("SAGEMAKER_PROGRAM") or decoded.get("sagemaker_program") or "")
    if not _SAFE_ENTRY_POINT.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise UserError(
            f"sagemaker_program '{name}' is no path within the source directory; letters, digits and . _ + - / make one."
        )
    given = arguments.arguments(arguments.users(decoded))
    package = (paths.code / "setup.py").is_file() and not name.endswith(".sh")
    if package:
        isolated = [] if find_spec("setuptools") is None else ["--no-build-isolation"]
        environments.pip_install(python, [*isolated, "."], paths.code)
        return [str(python), "-m", name.removesuffix(".py").replace("/", "."), *given]
    script = paths.code / name
    if not script.is_file():
        there = ", ".join(sorted(path.name for path in paths.code.iterdir())) or "nothing"
        raise UserError(f"The source directory has no '{name}', which sagemaker_program names; it holds {there}.")
    if name.endswith(".py"):
        return [str(python), name, *given]
    script.chmod(0o755)
    return ["/bin/sh", "-c", shlex.join([f"./{name}", *given])]


def _run(argv: list[str], folder: Path, failure: Path) -> None:
    """Runs a command to its end and exits with its code; SIGTERM is passed on to it and to what it started."""
    try:
        script = subprocess.Popen(argv, cwd=folder, env=_users(os.environ), stderr=subprocess.PIPE, process_group=0)
    except OSError as error:
        raise UserError(f"'{argv[0]}' could not be started: {error.strerror}.") from None

    def pass_on(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(script.pid, number)

    signal.signal(signal.SIGTERM, pass_on)
    told = _Told(script)
    code = script.wait()
    told.join(2.0)  # a process that outlives the script may hold its stderr; the job ends all the same
    if code == 0:
        return
    code = code if code > 0 else 128 - code
    if not failure.is_file() or not failure.stat().st_size:
        command = shlex.join(argv)
        text = f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{told.error}"\nCommand "{command}"'
        failure.write_text(f"AlgorithmError: {text}, exit code: {code}")
    sys.exit(code)


def _users(environment: Mapping[str, str]) -> dict[str, str]:
    """What the user's program sees: all but what the server told this one."""
    return {name: value for name, value in environment.items() if not name.startswith("TOBO_")}


class _Told(threading.Thread):
    """Passes a process's stderr on to ours and keeps its end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        assert process.stderr is not None
        self._source = process.stderr.fileno()
        self._end = b""
        self.start()

    def run(self) -> None:
        while chunk := os.read(self._source, 1 << 16):
            os.write(2, chunk)
            self._end = (self._end + chunk)[-_KEPT:]

    @property
    def error(self) -> str:
        """What was told last: the exception below the last trace, else the last line."""
        lines = self._end.decode("utf-8", "replace").strip().splitlines()
        traces = [number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
        if not traces:
            return lines[-1] if lines else ""
        told = [line for line in lines[traces[-1] + 1 :] if line.strip() and not line.startswith((" ", "\t"))]
        return "\n".join(told)
