"""Live views: what devices show of themselves while somebody looks, the newest of each, in memory alone."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tobo.store.base import Key

LOOKED_AT_SECONDS = 20.0
"""A device goes on for so long after the last look; who looks asks again within that time."""

NUDGE_SECONDS = 10.0
"""A device that somebody looks at and that shows nothing is nudged so often."""


@dataclass
class LiveView:
    """Of one device: until when it is wanted, what it told last and when, its last picture. Times are epoch seconds."""

    until: float = 0.0
    nudged: float = 0.0
    at: float = 0.0
    told: Mapping[str, Any] = field(default_factory=dict)
    picture: bytes = b""
    picture_at: float = 0.0


class LiveViews:
    """Those that are wanted now; what nobody looks at any more is forgotten."""

    def __init__(self) -> None:
        self._views: dict[Key, LiveView] = {}
        self._lock = threading.Lock()

    def look(self, device: Key, now: float) -> tuple[LiveView, bool]:
        """What the device shows, which is wanted from now on; and whether it is to be nudged."""
        with self._lock:
            self._forget(now)
            view = self._views.setdefault(device, LiveView())
            view.until = now + LOOKED_AT_SECONDS
            nudge = now - max(view.at, view.nudged) >= NUDGE_SECONDS
            if nudge:
                view.nudged = now
            return replace(view), nudge

    def show(self, device: Key, now: float, told: Mapping[str, Any] | None, picture: bytes | None) -> float:
        """Takes what a device shows; for how many seconds more of it are wanted, 0 where nobody looks."""
        with self._lock:
            self._forget(now)
            view = self._views.get(device)
            if view is None:
                return 0.0
            if told is not None:
                view.at, view.told = now, told
            if picture is not None:
                view.picture, view.picture_at = picture, now
            return view.until - now

    def _forget(self, now: float) -> None:
        for device in [device for device, view in self._views.items() if view.until <= now]:
            del self._views[device]
