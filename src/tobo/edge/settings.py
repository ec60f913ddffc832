"""agent.toml: everything that is set on a device, read once, checked, passed down.

The folder that holds it (by default /etc/tobo-edge) holds the enrolment too, where the device has one.
"""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from tobo.edge.cameras.rtsp import is_stream
from tobo.edge.decision import Rule
from tobo.edge.health import Limits
from tobo.edge.loop import Keeping

FILE = "agent.toml"
FOLDER = Path("/etc/tobo-edge")
STATE = Path("/var/lib/tobo-edge")


class BadSettings(ValueError):
    """agent.toml is missing or wrong; the message is one sentence naming file, place and mend."""


@dataclass(frozen=True)
class CameraSettings:
    """`source` is a number, device, address or folder; `size` (width, height); `exposure_ms` and `gain` for the Pi's;
    `lag_ms` from the exposure until a frame is read; a mean level (0..255) below `black_below` is no picture."""

    kind: Literal["picamera2", "opencv", "rtsp", "folder"] = "picamera2"
    source: int | str = 0
    size: tuple[int, int] | None = None
    exposure_ms: float | None = None
    gain: float | None = None
    rate: float = 0.0
    lag_ms: float = 0.0
    black_below: float = 4.0


@dataclass(frozen=True)
class TriggerSettings:
    """`seconds` for the interval; `pin` (BCM), `delay_ms`, `bounce_ms`, `active_high` for the barrier; `threshold` for motion."""

    kind: Literal["light-barrier", "interval", "motion"] = "interval"
    seconds: float = 1.0
    pin: int = 17
    delay_ms: float = 0.0
    bounce_ms: float = 5.0
    active_high: bool = False
    threshold: float = 12.0


@dataclass(frozen=True)
class ActuatorSettings:
    """Pins are BCM numbers; `belt_pin` is the relay that lets the belt run; angles in degrees, -90 to 90."""

    kind: Literal["servo", "relay", "http", "mqtt", "none"] = "none"
    pin: int = 18
    ok_angle: float = 45.0
    ko_angle: float = -45.0
    active_high: bool = True
    belt_pin: int | None = None
    url: str = ""
    host: str = ""
    port: int = 1883
    topic: str = ""
    timeout_ms: float = 200.0


@dataclass(frozen=True)
class DecisionSettings:
    """See decision.Rule; `thresholds` outrank the model's own. After `rest_after` seconds without a part the arm rests."""

    accept: tuple[str, ...] = ("ok",)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    budget_ms: float = 100.0
    separation_ms: float = 0.0
    rest_after: float = 2.0


@dataclass(frozen=True)
class HouseSettings:
    """Seconds between polls, heartbeats, sendings, counts, and questions whether somebody looks at the live view;
    `outbox_mb` is the outbox's bound on disk."""

    poll: float = 60.0
    heartbeat: float = 60.0
    send: float = 30.0
    counts: float = 60.0
    live: float = 30.0
    outbox_mb: float = 200.0


@dataclass(frozen=True)
class PageSettings:
    """The local page; `port` 0 switches it off. `names` are further host names by which browsers may reach it."""

    host: str = "127.0.0.1"
    port: int = 8627
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """`folder` has agent.toml and enrolment/, `state` is the agent's own; `model` a compiled folder to sort with where
    the device is not enrolled; `keep` says which frames are kept, `trial` what a new version has to do before it stays."""

    folder: Path = FOLDER
    state: Path = STATE
    model: str = ""
    camera: CameraSettings = CameraSettings()
    trigger: TriggerSettings = TriggerSettings()
    actuator: ActuatorSettings = ActuatorSettings()
    decision: DecisionSettings = DecisionSettings()
    keep: Keeping = field(default=Keeping())
    house: HouseSettings = HouseSettings()
    trial: Limits = field(default=Limits())
    page: PageSettings = PageSettings()

    @property
    def enrolment(self) -> Path:
        return self.folder / "enrolment"

    def rule(self, thresholds: Mapping[str, float]) -> Rule:
        """The rule with a model's own thresholds below those that are set here."""
        decision = self.decision
        return Rule(
            {**thresholds, **decision.thresholds},
            decision.accept,
            decision.budget_ms / 1000,
            decision.separation_ms / 1000,
        )


def read(folder: Path) -> Settings:
    """The settings of `folder`. Raises BadSettings."""
    file = folder / FILE
    try:
        found = tomllib.loads(file.read_text())
    except OSError as error:
        raise BadSettings(f"'{file}' cannot be read ({error.strerror}); `tobo-edge install` writes one.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"'{file}' is not TOML ({error}).") from None
    return parse(found, folder, file)


def parse(found: Mapping[str, Any], folder: Path, file: Path) -> Settings:
    """Settings of a TOML document. Raises BadSettings naming `file` and the place."""
    settings = _section(Settings, {**found, "folder": str(folder)}, str(file))
    _check(settings, file)
    return settings


def _check(settings: Settings, file: Path) -> None:
    for name, value in (
        ("[keep] margin", settings.keep.margin),
        ("[keep] share", settings.keep.share),
        *((f"[decision] thresholds.{label}", value) for label, value in settings.decision.thresholds.items()),
    ):
        if not 0 <= value <= 1:
            raise BadSettings(f"{name} = {value:g} in '{file}' is not in 0 to 1.")
    if not settings.decision.accept:
        raise BadSettings(f"[decision] accept in '{file}' is empty; name the labels that are ok.")
    if settings.camera.kind == "rtsp" and not is_stream(settings.camera.source):
        raise BadSettings(f"[camera] source in '{file}' is no rtsp:// address; rtsp://user:password@host:554/path.")
    if settings.trigger.kind == "interval" and settings.trigger.seconds <= 0:
        raise BadSettings(f"[trigger] seconds in '{file}' has to be above 0.")
    if settings.actuator.kind == "http" and not settings.actuator.url:
        raise BadSettings(f"[actuator] url in '{file}' is missing; the arm's http:// address.")
    if settings.actuator.kind == "mqtt" and not (settings.actuator.host and settings.actuator.topic):
        raise BadSettings(f"[actuator] host and topic in '{file}' are needed for an arm over MQTT.")


_T = TypeVar("_T")


def _section(kind: type[_T], found: Mapping[str, Any], place: str) -> _T:
    """A dataclass of a TOML table, every value of the declared type."""
    known = typing.get_type_hints(kind)
    if unknown := found.keys() - known.keys():
        raise BadSettings(f"'{min(unknown)}' in {place} is not known; there are {', '.join(known)}.")
    return kind(**{name: _value(known[name], value, f"{name} in {place}") for name, value in found.items()})


def _value(hint: Any, value: Any, place: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise BadSettings(f"{place} has to be a table.")
        return _section(hint, value, place)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        for one in arguments:
            try:
                return _value(one, value, place)
            except BadSettings:
                continue
    elif origin is Literal:
        if value in arguments:
            return value
        raise BadSettings(f"{place} is '{value}'; it has to be one of {', '.join(map(str, arguments))}.")
    elif origin is tuple and isinstance(value, list):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) == len(value):
            return tuple(_value(one, each, place) for one, each in zip(kinds, value, strict=True))
    elif origin is Mapping and isinstance(value, dict):
        return {str(name): _value(arguments[1], each, f"{name} of {place}") for name, each in value.items()}
    elif hint is Path and isinstance(value, str):
        return Path(value)
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(hint, type) and isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise BadSettings(f"{place} is {value!r}, which is not {_said(hint)}.")


def _said(hint: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    found = names.get(hint)
    return found or str(hint).replace("typing.", "").replace("<class '", "").replace("'>", "")
