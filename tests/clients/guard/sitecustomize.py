"""Keeps a client on this machine: an address that is not a loopback one is refused at once, and written down.

Python imports a module of this name, found on PYTHONPATH, before a script; the script itself stays as it is. What was asked
for comes into the file that GUARD_FILE names, a line each. `localhost` and names of Unix sockets are not outside.
"""

import errno
import ipaddress
import os
import sys
import traceback
from pathlib import Path


def _is_outside(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return False
    try:
        return not ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return True  # a name, which would have to be looked up


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _is_outside(host):
        return
    callers = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(traceback.extract_stack()[:-1]))
    with Path(os.environ["GUARD_FILE"]).open("a") as file:
        file.write(f"{event} {host!r}: {callers}\n")
    raise OSError(errno.ENETUNREACH, f"{host!r} is outside of this machine")


if "GUARD_FILE" in os.environ:
    sys.addaudithook(_watch)
