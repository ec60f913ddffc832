"""The arm travels, takes commands with its pulses, and only the last of them."""

import pytest

from tobo.edge.ports import Verdict
from tobo.line.servo import Servo


def arm(pulse: float = 0.0) -> Servo:
    return Servo({"ok": 30.0, "ko": -30.0}, speed=500.0, pulse=pulse)


def test_it_rests_at_ko() -> None:
    servo = arm()
    assert (servo.angle(0.0), servo.target) == (-30.0, -30.0)
    assert servo.stands_at("ko", 5.0, tolerance=1.0)


@pytest.mark.parametrize(
    ("after", "angle"), [(0.0, -30.0), (0.03, -15.0), (0.06, 0.0), (0.12, 30.0), (5.0, 30.0)], ids=str
)
def test_it_travels_at_its_speed_and_stops_at_its_place(after: float, angle: float) -> None:
    servo = arm()
    servo.command("ok", 1.0)
    assert servo.angle(1.0 + after) == pytest.approx(angle)


def test_a_new_command_turns_it_round_from_where_it_is() -> None:
    servo = arm()
    servo.command("ok", 1.0)
    servo.command("ko", 1.06)
    assert servo.angle(1.06) == pytest.approx(0.0)
    assert servo.angle(1.09) == pytest.approx(-15.0)
    assert servo.angle(2.0) == -30.0


@pytest.mark.parametrize(
    ("commands", "angle"),
    [
        ([("ok", 1.001)], 30.0),
        ([("ok", 1.001), ("ko", 1.015)], -30.0),
        ([("ok", 1.001), ("ko", 1.002), ("ok", 1.019)], 30.0),
    ],
    ids=["one", "taken back", "the last wins"],
)
def test_of_several_commands_before_a_pulse_the_last_counts(
    commands: list[tuple[Verdict, float]], angle: float
) -> None:
    servo = arm(pulse=0.02)
    for verdict, at in commands:
        servo.command(verdict, at)
        assert servo.angle(at) == -30.0
    assert servo.angle(1.0199) == -30.0
    assert servo.angle(1.02 + 0.13) == pytest.approx(angle)
