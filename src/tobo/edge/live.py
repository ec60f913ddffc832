"""The live view: what this device shows of itself while somebody looks at the house's console; nothing while nobody does.

Beside the line and after it: a small JPEG of the last frame, the last part's decision and the counts, at most once a
second. The house asks for it in the answer to each showing; between views the device asks whether it is wanted.
"""

import base64
import io
import math
from typing import TYPE_CHECKING, Any

from PIL import Image

from tobo.edge.page.view import view
from tobo.edge.ports import Frame

if TYPE_CHECKING:
    from tobo.edge.agent import Agent
    from tobo.edge.cloud import Home

EVERY = 1.0
"""Seconds between two showings."""
LARGEST = 20_000
"""Bytes of a picture: a slow uplink carries it in the second that it has."""
_SIZES = ((320, 60), (320, 35), (200, 35), (120, 25))
"""Pixels of the longer side and JPEG's quality; the first that fits is taken, and the last one always does."""


class LiveView:
    """Of one agent; `wanted` says whether the house wanted more at the last answer."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._shown = -1
        self.wanted = False

    def step(self, home: "Home") -> None:
        """One question, or one showing where it is wanted. Raises Offline, Denied."""
        wanted, self.wanted = self.wanted, False
        members: dict[str, Any] = {}
        if wanted:
            members = {"Told": told(view(self._agent))}
            latest = self._agent.loop.latest
            if latest is not None and latest[0].number != self._shown:
                members["Picture"] = base64.b64encode(small_jpeg(latest[0])).decode()
                self._shown = latest[0].number
        self.wanted = float(home.ask("SendLiveView", **members).get("WantedSeconds", 0)) > 0
        if not self.wanted or "Told" not in members:
            self._shown = -1  # who looks next has not seen it


def told(seen: dict[str, Any]) -> dict[str, Any]:
    """The request's Told of what the device's own page shows."""
    counts, last, latency = seen["counts"], seen["last"], seen["latency_ms"]
    found = {name: counts[name.lower()] for name in ("Decisions", "Late", "Faults")}
    found |= {"Rejects": counts["ko"], "Override": seen["override"]}
    if latency is not None:
        found |= {"P50": latency["p50"], "P99": latency["p99"]}
    if last is not None:
        part = {"Number": last["number"], "Verdict": last["verdict"], "Reason": last["reason"]}
        part |= {
            "Label": (last["label"] or "")[:256],
            "Fault": (last["fault"] or "")[:1000],
            "Milliseconds": last["latency_ms"],
        }
        scores = [(label, value) for label, value in last["scores"].items() if math.isfinite(value)]
        part["Scores"] = [{"Label": label[:256], "Value": value} for label, value in scores[:100]]
        found["Part"] = {name: value for name, value in part.items() if value not in (None, "")}
    return found


def small_jpeg(frame: Frame) -> bytes:
    """At most LARGEST bytes. Most pixels are left out before Pillow copies them, for the line waits while it does."""
    step = max(1, max(frame.pixels.shape[:2]) // (2 * _SIZES[0][0]))
    image = Image.fromarray(frame.pixels[::step, ::step])
    for side, quality in _SIZES:
        image.thumbnail((side, side))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= LARGEST:
            break
    return buffer.getvalue()
