"""The home of a notebook instance: its Python environment, its kernels, and the way to the server where there is no network."""

import json
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

from tobo.frameworks import environments

KERNELS = ("python3", "conda_python3")
"""Under which names notebooks find Python: Jupyter's own, and that of notebooks made at AWS."""

GATEWAY_PORT = 8626
"""Where the server is reached from inside an instance without a network."""


def prepare() -> dict[str, str]:
    """Makes what is missing, and gives the variables of programs that run here; safe to repeat."""
    home, venv = Path(os.environ["TOBO_NOTEBOOK_HOME"]), Path(os.environ["TOBO_VENV"])
    python = venv / "bin" / "python"
    if not (venv / "ready").exists():
        python = environments.create(venv)
        (venv / "ready").touch()
    for name in KERNELS:
        folder = home / ".local" / "share" / "jupyter" / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        kernel = {
            "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name if name.startswith("conda") else "Python 3",
            "language": "python",
            "metadata": {"debugger": True},
        }
        (folder / "kernel.json").write_text(json.dumps(kernel))
    pages = home / ".jupyter" / "labconfig"
    pages.mkdir(parents=True, exist_ok=True)
    # Its question whether one wants news from jupyter.org.
    (pages / "page_config.json").write_text(
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TOBO_")}
    return {
        **variables,
        "HOME": str(home),
        "SHELL": "/bin/bash",
        "VIRTUAL_ENV": str(venv),
        "JUPYTER_PREFER_ENV_PATH": "0",  # else tobo's own environment comes before the kernels of this home
        "PATH": environments.search_path([venv], os.environ.get("PATH", os.defpath)),
    }


def open_way(path: str) -> None:
    """Carries connections to 127.0.0.1:8626 to the socket at `path`, in threads, for as long as this process lives."""
    listener = socket.create_server(("127.0.0.1", GATEWAY_PORT))
    threading.Thread(target=_accept, args=(listener, path), daemon=True).start()


def _accept(listener: socket.socket, path: str) -> None:
    while True:
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(path)
        except OSError:  # the server is away; clients try again
            near.close()
            continue
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_carry, args=(source, target), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Until either end closes; whoever comes last closes both."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
