"""Whether a notebook instance works: its kernels, its terminals, its processor. Open tabs are no work.

A kernel that is busy works, however little it computes: it may wait for a training job. One that is idle may have left
threads behind, which the processor time tells.
"""

import http.client
import json
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tobo.operations.context import Context
from tobo.resources.notebook_instances.sessions import address_of, socket_of, token_of
from tobo.store.base import Row

LOOK_SECONDS = 5.0
"""Between two questions to JupyterLab."""
BUSY_PROCESSOR = 0.1
"""Processors that an instance uses when it works; JupyterLab with a few open tabs needs a fiftieth."""
_PATIENCE = 2.0
_LONGEST = 1 << 20
"""Bytes of an answer."""


@dataclass
class Watch:
    """What was seen of one instance: times in epoch seconds, processor seconds of its processes."""

    identified: float = 0.0
    active: float = 0.0
    looked: float = 0.0
    processor: float | None = None
    latest: str | None = None
    """The newest last_activity that JupyterLab has told, in its words."""

    def worked(self, context: Context, row: Row, process: str, now: float) -> bool:
        """Whether it has worked since the last look; False between two looks."""
        if now - self.looked < LOOK_SECONDS:
            return False
        seconds, self.looked = now - self.looked, now
        used = context.compute.usage(process)
        before, self.processor = self.processor, None if used is None else used.cpu_seconds
        computing = (
            before is not None and self.processor is not None and self.processor - before > BUSY_PROCESSOR * seconds
        )
        return self._is_asked(context, row) or computing

    def _is_asked(self, context: Context, row: Row) -> bool:
        """A kernel is busy, or has been asked something since; a terminal has written. A JupyterLab that is too busy to
        answer works."""
        address, token = socket_of(context.settings, row), token_of(context.settings, row)
        base = address_of(context.settings, row.key).base
        try:
            kernels = ask(address, f"{base}api/kernels", token)
            terminals = ask(address, f"{base}api/terminals", token)
            latest = max((one["last_activity"] for one in (*kernels, *terminals)), default="")
            busy = any(one["execution_state"] == "busy" for one in kernels)
        except TimeoutError:
            return True
        except (OSError, ValueError, TypeError, KeyError):  # what listens there is the user's own, whatever it says
            return False
        before, self.latest = self.latest, latest
        return busy or (before is not None and latest > before)


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, address: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._address = str(address)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(self._address)


def ask(address: Path, path: str, token: str) -> Any:
    """JupyterLab's answer to a GET, read as JSON. Raises OSError where it does not answer with 200."""
    with closing(_Connection(address)) as connection:
        try:
            connection.request("GET", path, headers={"Authorization": f"token {token}"})
            answer = connection.getresponse()
            body = answer.read(_LONGEST)
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
    if answer.status != 200:
        raise OSError(f"{path} answered {answer.status}")
    return json.loads(body)
