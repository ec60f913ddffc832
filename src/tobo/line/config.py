"""What a line is built of: one frozen set of numbers, with the defaults of a hobby conveyor."""

from dataclasses import dataclass

from tobo.edge.ports import Verdict
from tobo.line.marbles import NOVEL, OK


@dataclass(frozen=True)
class Mix:
    """Which marbles come: `novel` of them of a kind that no training has seen, of the others `ok` sound, the rest defects.

    `novel_label` is the truth about the new kind: whether it belongs into the ok bin. Raises ValueError where a share
    is not one, or the kind is none of `marbles.NOVEL`.
    """

    ok: float = 0.5
    novel: float = 0.0
    novel_kind: str = NOVEL[0]
    novel_label: Verdict = "ko"

    def __post_init__(self) -> None:
        if not (0 <= self.ok <= 1 and 0 <= self.novel <= 1):
            raise ValueError(f"ok {self.ok} and novel {self.novel} have to be shares, 0 to 1")
        if self.novel_kind not in NOVEL:
            raise ValueError(f"kind {self.novel_kind!r} is none of {', '.join(NOVEL)}")

    def label(self, kind: str) -> Verdict:
        """The truth about a kind."""
        if kind == self.novel_kind:
            return self.novel_label
        return "ok" if kind == OK else "ko"


@dataclass(frozen=True)
class LineConfig:
    """Millimetres, seconds, degrees, mm/s; shares are 0..1. Places are measured along the belt from the feeder.

    The arm lies less than one pitch behind the camera, so that a command may be given as soon as it is known: the
    marble before has passed by then. Raises ValueError where the pieces cannot stand so.
    """

    seed: int = 0
    size: int = 96
    """Pixels of the square photo."""
    mix: Mix = Mix()

    speed: float = 80.0
    drift: float = 0.03
    """Share of the speed, over minutes."""
    jitter: float = 0.01
    """Share of the speed, with the rollers' turns."""
    pitch: float = 40.0
    """From pocket to pocket: 2 marbles a second at 80 mm/s."""
    diameter: float = 16.0
    spacing: float = 0.6
    """Standard deviation of a marble's place in its pocket."""
    empty: float = 0.05
    double: float = 0.002
    """Shares of the pockets that stay empty, and that get two marbles."""
    jam: float = 0.0005
    """Share of the marbles that stick before the arm."""
    operator: float | None = 5.0
    """After so long somebody clears a jam and starts a stopped belt again; None: nobody does."""

    camera_at: float = 160.0
    arm_at: float = 188.0
    exposure: float = 0.005
    delay: float = 0.002
    """From the call to the shutter."""
    readout: float = 0.006
    """From the shutter's end to the frame."""
    view: float = 23.0
    """Width of what the camera sees."""
    light_drift: float = 0.05
    """Share by which the lamp's brightness comes and goes; its warmth by half as much."""
    light_period: float = 3 * 3600.0

    ok_angle: float = 30.0
    ko_angle: float = -30.0
    servo_speed: float = 500.0
    """An SG90's 0.12 s for 60 degrees."""
    pulse: float = 0.02
    tolerance: float = 8.0
    """A marble passes to ok where the arm is so near to its place; else it falls to ko."""

    def __post_init__(self) -> None:
        if self.size < 16:
            raise ValueError(f"size {self.size} is too small for a marble; 16 is the least")
        if not 0 < self.arm_at - self.camera_at <= self.pitch:
            raise ValueError("the arm has to lie behind the camera, by one pitch at most")
        if self.camera_at < self.pitch or self.pitch < self.diameter + 6 * self.spacing:
            raise ValueError("a pocket has to hold a marble, and the first to lie before the camera")
        if self.drift + self.jitter >= 0.5 or self.speed <= 0:
            raise ValueError("a belt runs forward, at half its speed at least")
        if self.empty + self.double > 1:
            raise ValueError(f"empty {self.empty} and double {self.double} are no shares of one whole")

    @property
    def barrier_at(self) -> float:
        """Before the camera by what the belt runs until the middle of the exposure: a prompt photo is centred."""
        return self.camera_at - self.speed * (self.delay + self.exposure / 2)

    @property
    def travel_time(self) -> float:
        """Seconds at most from a command until the arm has come across."""
        return self.pulse + (abs(self.ok_angle - self.ko_angle) - self.tolerance) / self.servo_speed

    @property
    def budget(self) -> float:
        """Seconds from the marble's arrival at the light barrier within which a command is surely in time."""
        return (self.arm_at - self.barrier_at) / (self.speed * (1 + self.drift + self.jitter)) - self.travel_time

    @property
    def separation(self) -> float:
        """Seconds between two arrivals below which the first has not passed the arm when the second is judged."""
        return (self.arm_at - self.barrier_at) / (self.speed * (1 - self.drift - self.jitter))
