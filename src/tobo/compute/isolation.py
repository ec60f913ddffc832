"""No network for a process: a network namespace of its own, where it can reach nobody but itself (Linux, unshare(2))."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def leave_network() -> str | None:
    """Cuts this process and its children off; None when it is done, else one sentence that says why it is not.

    Root may do it at once, anybody else inside a user namespace of its own, where the system allows those. Must be
    called while the process has a single thread.
    """
    if not sys.platform.startswith("linux"):
        return f"Network isolation needs Linux's namespaces, which {sys.platform} has not."
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        _raise_loopback()
        return None
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return f"The system refuses a network namespace: {os.strerror(ctypes.get_errno())}."
    # Without a map every file would seem to belong to nobody.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _raise_loopback()
    return None


def _raise_loopback() -> None:
    """So that the process's own parts can speak with each other (netdevice(7)); without it they cannot, and nothing else."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
