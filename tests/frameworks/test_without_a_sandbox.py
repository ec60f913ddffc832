"""The same jobs on a machine without bubblewrap: real paths, copied channels, SDK 3.x's drivers told where things are."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("own-code")

HERE = Path(__file__).parent
CASE = HERE / "test_commands.py::test_the_store_is_safe_from_its_jobs"


def test_jobs_run_without_bubblewrap() -> None:
    """Where it is missing, every other test here says as much; where it is there, it is hidden from a run of one of them."""
    program = shutil.which("bwrap")
    if program is None or subprocess.run([program, "--dev-bind", "/", "/", "true"]).returncode:
        pytest.skip("there is no bubblewrap to hide: the other tests run without it")
    hidden = [program, "--dev-bind", "/", "/", "--ro-bind", "/dev/null", program]
    pytest_options = ["-q", "-p", "no:cacheprovider", "-n", "0"]
    ran = subprocess.run(
        [*hidden, sys.executable, "-m", "pytest", *pytest_options, str(CASE)],
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0 and "1 passed" in ran.stdout, ran.stdout
