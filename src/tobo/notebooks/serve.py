"""JupyterLab of a notebook instance, on a Unix socket.

TOBO_SOCKET is the socket's path, TOBO_BASE the path under which the gateway shows it; JUPYTER_TOKEN is what the gateway shows with every request.
"""

import os
import sys
import tempfile
from pathlib import Path

from tobo.notebooks.home import open_way, prepare


def main() -> None:
    """Until SIGTERM, which ends the kernels, too."""
    variables = prepare()
    base, address = os.environ["TOBO_BASE"], os.environ["TOBO_SOCKET"]
    if gateway := os.environ.get("TOBO_GATEWAY"):
        open_way(gateway)
    os.environ.clear()
    os.environ.update(variables)
    volume = f"{variables['HOME']}/SageMaker"
    os.chdir(volume)
    Path(address).unlink(missing_ok=True)  # of a JupyterLab that was killed
    from jupyterlab.labapp import LabApp

    sys.argv = ["jupyter-lab"]
    # Kernels talk over sockets in this folder, whose paths systems limit to some hundred characters.
    with tempfile.TemporaryDirectory(prefix="tobo-", dir="/tmp") as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime
        LabApp.launch_instance(
            [
                "--no-browser",
                "--allow-root",
                f"--ServerApp.sock={address}",
                f"--ServerApp.base_url={base}",
                f"--ServerApp.root_dir={volume}",
                f"--ServerApp.preferred_dir={volume}",
                "--ServerApp.allow_remote_access=True",  # by which host it is asked the gateway checks
                "--ServerApp.terminado_settings={'shell_command': ['/bin/bash']}",
                "--KernelManager.transport=ipc",
                "--LabApp.extension_manager=readonly",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ]
        )
