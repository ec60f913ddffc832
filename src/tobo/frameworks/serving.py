"""Serves a model with the user's own code: first makes its Python environment, then becomes that Python and serves.

Environment as in training.py (TOBO_VENV, TOBO_REQUIREMENTS, TOBO_ENVIRONMENT, TOBO_FRAMEWORK) and in inference/server.py.
"""

import os
from pathlib import Path

from tobo.frameworks.training import prepare_python
from tobo.inference import server
from tobo.kit.guest import run_guest

_HANDLER = "tobo.frameworks.handler:handler"


def main() -> None:
    """The entry of a replica of user code; what keeps it from serving is told in the tree's output/failure."""
    run_guest(_become)


def _become() -> None:
    """The same process goes on in the new environment's python, so that the packages installed there are found first."""
    python = str(prepare_python(Path(os.environ["TOBO_VENV"])))
    os.execve(python, [python, "-P", "-m", "tobo.frameworks.serving"], os.environ | {"TOBO_MODEL_SERVER": _HANDLER})


if __name__ == "__main__":
    server.main()
