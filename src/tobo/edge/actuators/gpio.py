"""Arms at GPIO pins, through gpiozero: a servo, a relay; and the relay that stops the belt."""

import importlib
from collections.abc import Callable
from typing import Any

from tobo.edge.ports import ActuatorFault, Verdict

MIN_PULSE, MAX_PULSE = 0.5e-3, 2.5e-3
"""Seconds of a hobby servo's pulse at -90 and 90 degrees; the middle is 1.5 ms."""


def _open(make: Callable[[Any], Any], what: str) -> Any:
    """A gpiozero device. Raises ActuatorFault with the mend."""
    try:
        return make(importlib.import_module("gpiozero"))
    except ImportError:
        raise ActuatorFault("gpiozero is not installed; `apt install python3-gpiozero python3-lgpio`.") from None
    except Exception as error:
        raise ActuatorFault(f"{what} cannot be used ({error}); name another pin.") from error


class Belt:
    """The relay whose contact lets the belt run; open, without power or without an agent, the belt stands."""

    def __init__(self, pin: int | None) -> None:
        self._relay = (
            None if pin is None else _open(lambda g: g.DigitalOutputDevice(pin, initial_value=True), f"Pin {pin}")
        )

    def stop(self) -> None:
        if self._relay is not None:
            self._relay.off()

    def close(self) -> None:
        if self._relay is not None:
            self._relay.close()


class Servo:
    """A hobby servo that turns a gate; it rests at the angle of ko."""

    def __init__(self, pin: int, ok_angle: float = 45.0, ko_angle: float = -45.0, belt_pin: int | None = None) -> None:
        """Angles in degrees, -90 to 90. Raises ActuatorFault where gpiozero or a pin is missing."""
        self._angles: dict[Verdict, float] = {"ok": ok_angle, "ko": ko_angle}
        self._belt = Belt(belt_pin)
        self._servo = _open(
            lambda g: g.AngularServo(
                pin,
                initial_angle=ko_angle,
                min_angle=-90,
                max_angle=90,
                min_pulse_width=MIN_PULSE,
                max_pulse_width=MAX_PULSE,
            ),
            f"The servo's pin {pin}",
        )

    def turn(self, verdict: Verdict) -> None:
        try:
            self._servo.angle = self._angles[verdict]
        except Exception as error:
            raise ActuatorFault(f"The servo does not obey ({error}); look at its cable and its supply.") from error

    def stop_belt(self) -> None:
        self._belt.stop()

    def close(self) -> None:
        try:
            self.turn("ko")
        finally:
            self._servo.close()
            self._belt.close()


class Relay:
    """A relay or a valve: on for ok, off for ko, so that it falls to ko without power."""

    def __init__(self, pin: int, active_high: bool = True, belt_pin: int | None = None) -> None:
        """Raises ActuatorFault where gpiozero or a pin is missing."""
        self._belt = Belt(belt_pin)
        self._relay = _open(
            lambda g: g.DigitalOutputDevice(pin, active_high=active_high, initial_value=False), f"The relay's pin {pin}"
        )

    def turn(self, verdict: Verdict) -> None:
        try:
            self._relay.value = verdict == "ok"
        except Exception as error:
            raise ActuatorFault(f"The relay does not obey ({error}); look at its pin.") from error

    def stop_belt(self) -> None:
        self._belt.stop()

    def close(self) -> None:
        try:
            self.turn("ko")
        finally:
            self._relay.close()
            self._belt.close()
