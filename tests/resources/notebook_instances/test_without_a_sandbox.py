"""A notebook on a machine without bubblewrap: real paths, and the volume is kept all the same."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASE = HERE / "test_instances.py::test_what_is_written_is_kept"


def test_the_volume_is_kept_without_bubblewrap() -> None:
    program = shutil.which("bwrap")
    if program is None or subprocess.run([program, "--dev-bind", "/", "/", "true"]).returncode:
        pytest.skip("there is no bubblewrap to hide: the other tests run without it")
    hidden = [program, "--dev-bind", "/", "/", "--ro-bind", "/dev/null", program]
    ran = subprocess.run(
        [*hidden, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", str(CASE)],
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0 and "1 passed" in ran.stdout, ran.stdout
