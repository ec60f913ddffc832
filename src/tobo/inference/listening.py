"""The sockets that a replica is asked on."""

import socket
from pathlib import Path


def listen(path: Path) -> socket.socket:
    """A listening socket that appears at `path` in one step: who finds it can connect."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    hidden = path.with_name(path.name + "~")
    hidden.unlink(missing_ok=True)
    listener.bind(str(hidden))
    hidden.chmod(0o600)
    listener.listen(128)
    hidden.rename(path)
    return listener
