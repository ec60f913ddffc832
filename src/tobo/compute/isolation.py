"""No network for a process: a network namespace of its own, where not even the loopback is up (Linux, unshare(2))."""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


def leave_network() -> str | None:
    """Cuts this process and its children off; None when it is done, else one sentence that says why it is not.

    Root may do it at once, anybody else inside a user namespace of its own, where the system allows those. Must be
    called while the process has a single thread.
    """
    if not sys.platform.startswith("linux"):
        return f"Network isolation needs Linux's namespaces, which {sys.platform} has not."
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        return None
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return f"The system refuses a network namespace: {os.strerror(ctypes.get_errno())}."
    # Without a map every file would seem to belong to nobody.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return None
