"""systemd's watchdog: a loop that hangs is killed and started again (sd_notify(3), systemd.service(5) WatchdogSec)."""

import os
import socket
import time


class Watchdog:
    """Tells systemd that the agent is ready and that its loop turns; silent where systemd did not start it."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)  # the line waits for nobody
        self._every = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6 / 3
        self._told = 0.0

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """Called by the loop; sends a third of the way to the time-out at the earliest."""
        if self._every and time.monotonic() - self._told >= self._every:
            self._told = time.monotonic()
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def _tell(self, text: str) -> None:
        if self._socket is not None:
            try:
                self._socket.sendto(text.encode(), self._address)
            except OSError:
                return  # the next one may come through
