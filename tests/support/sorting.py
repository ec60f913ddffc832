"""The least agent that sorts a simulated line: it knows the truth, and answers after so much of the line's time."""

from collections.abc import Callable

from tobo.edge.ports import ActuatorFault, CameraFault, Frame, Verdict
from tobo.line.twin import Line


def sort(
    line: Line,
    latency: float = 0.01,
    judge: Callable[[Frame], Verdict] | None = None,
    careful: bool = True,
    until: float | None = None,
) -> list[Verdict]:
    """Sorts until the line is done, or until a time of the line's; the verdicts in their order.

    `careful`: what arrives before the marble ahead has passed the arm is ko, whatever it looks like.
    """
    verdicts: list[Verdict] = []
    before = float("-inf")
    while not line.done and (until is None or line.now() < until):
        arrived = line.trigger.wait(1.0)
        if arrived is None:
            continue
        close, before = arrived - before < line.config.separation, arrived
        verdict: Verdict = "ko"
        try:
            frame = line.camera.grab()
            marble = line.shown(frame)
            if not (careful and close):
                verdict = judge(frame) if judge else marble.label if marble else "ko"
        except CameraFault:
            pass
        if latency:
            line.timer.sleep(latency)
        verdicts.append(verdict)
        try:
            line.actuator.turn(verdict)
        except ActuatorFault:
            line.actuator.stop_belt()
    return verdicts
