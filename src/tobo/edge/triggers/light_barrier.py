"""A light barrier at a GPIO pin, through gpiozero: the part itself says that it is there."""

import importlib
import queue
from typing import Any

from tobo.edge.ports import Timer


class LightBarrier:
    """Each interruption is a part, `delay` seconds before it lies under the camera."""

    def __init__(
        self, pin: int, timer: Timer, delay: float = 0.0, bounce: float = 0.005, active_high: bool = False
    ) -> None:
        """`bounce` seconds in which a second edge is the same part. `active_high`: the pin is high while interrupted.

        Raises RuntimeError where gpiozero or the pin is missing.
        """
        try:
            devices = importlib.import_module("gpiozero")
            self._input: Any = devices.DigitalInputDevice(
                pin,
                pull_up=None if active_high else True,
                active_state=True if active_high else None,
                bounce_time=bounce,
            )
        except ImportError:
            raise RuntimeError("gpiozero is not installed; `apt install python3-gpiozero python3-lgpio`.") from None
        except Exception as error:
            raise RuntimeError(f"The light barrier's pin {pin} cannot be used ({error}); name another one.") from error
        self._timer, self._delay = timer, delay
        self._parts: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._input.when_activated = lambda: self._parts.put(timer.now())

    def wait(self, timeout: float) -> float | None:
        try:
            seen = self._parts.get(timeout=timeout)
        except queue.Empty:
            return None
        arrives = seen + self._delay
        self._timer.sleep(arrives - self._timer.now())
        return arrives

    def close(self) -> None:
        self._input.close()
