"""No arm: decisions are counted and shown, nothing moves."""

from tobo.edge.ports import Verdict


class NoActuator:
    """For a line that only watches; `verdict` is the last one."""

    verdict: Verdict = "ko"

    def turn(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def stop_belt(self) -> None:
        pass

    def close(self) -> None:
        self.verdict = "ko"
