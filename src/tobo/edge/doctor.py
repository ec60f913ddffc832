"""`tobo-edge doctor`: what on this device works, what does not, and how to mend it."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tobo.edge import classifier, enrolment, opening
from tobo.edge.bundle import BadBundle
from tobo.edge.cloud import Cloud, Denied, Offline
from tobo.edge.compiled import BadModel
from tobo.edge.enrolment import BadEnrolment
from tobo.edge.install import UNIT
from tobo.edge.ports import ActuatorFault, CameraFault
from tobo.edge.prove import InChild
from tobo.edge.settings import Settings
from tobo.edge.slots import Slots
from tobo.edge.timers import SystemTimer
from tobo.kit.finding import Finding

_LONG_PAST = 1.75e9
"""Epoch seconds, June 2025: a clock that shows less has not been set."""


def examine(settings: Settings) -> list[Finding]:
    """Every check; none raises. The arm is only opened and put to rest at ko: nothing is sorted."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found.append(check(settings))
        except Exception as error:
            name = check.__name__.strip("_").replace("_", " ")
            found.append(Finding(name, "missing", f"{type(error).__name__}: {error}", "this is a bug: please tell us"))
    return found


def _versions(settings: Settings) -> Finding:
    names = ("tobo", "numpy", "pillow", "onnxruntime", "cryptography", "paho-mqtt")
    found, missing = [f"Python {platform.python_version()} {platform.machine()}"], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("versions", "missing", f"without {', '.join(missing)}", "pip install 'tobo[edge]'")
    return Finding("versions", "ok", ", ".join(found))


def _camera(settings: Settings) -> Finding:
    try:
        camera = opening.open_camera(settings.camera, SystemTimer())
    except CameraFault as error:
        return Finding("camera", "missing", *_split(error))
    try:
        for attempt in range(5):  # the first frames of a camera are often black
            try:
                begin = time.monotonic()
                frame = camera.grab()
                height, width = frame.pixels.shape[:2]
                took = (time.monotonic() - begin) * 1000
                return Finding(
                    "camera",
                    "ok",
                    f"{settings.camera.kind}, {width} x {height}, brightness {frame.pixels.mean():.0f}, {took:.0f} ms",
                )
            except CameraFault as error:
                if attempt == 4:
                    return Finding("camera", "missing", *_split(error))
        raise AssertionError("the last attempt returns")
    finally:
        camera.close()


def _actuator(settings: Settings) -> Finding:
    kind = settings.actuator.kind
    if kind == "none":
        return Finding("actuator", "weak", "none: decisions are shown, nothing moves", "set [actuator] kind")
    try:
        arm = opening.open_actuator(settings.actuator)
        try:
            arm.turn("ko")
        finally:
            arm.close()
    except ActuatorFault as error:
        return Finding("actuator", "missing", *_split(error))
    return Finding("actuator", "ok", f"{kind}, rests at ko")


def _trigger(settings: Settings) -> Finding:
    kind = settings.trigger.kind
    if kind != "light-barrier":
        return Finding("trigger", "ok", kind)
    try:
        opening.open_trigger(
            settings.trigger, SystemTimer(), opening.open_camera(settings.camera, SystemTimer())
        ).close()
    except (RuntimeError, CameraFault) as error:
        return Finding("trigger", "missing", *_split(error))
    return Finding("trigger", "ok", f"light barrier at pin {settings.trigger.pin}")


def _model(settings: Settings) -> Finding:
    try:
        if settings.model:
            folder, name = Path(settings.model), settings.model
        else:
            enrolled = enrolment.read(settings.enrolment)
            proved = InChild(lambda: enrolled.signing_keys, enrolled.account, enrolled.target)
            slots = Slots(settings.state / "slots", proved)
            if slots.state.slot is None:
                return Finding("model", "weak", "none yet", "deploy one to this device's fleet; until then all is ko")
            slot = slots.read(slots.state.slot)
            folder, name = slot.folder, f"{slot.manifest.name} {slot.manifest.version}"
        loaded = classifier.load(folder)
        begin = time.perf_counter()
        probed = classifier.probe(folder, loaded)
        took = (time.perf_counter() - begin) * 1000 / probed.pictures
    except (BadModel, BadBundle, BadEnrolment) as error:
        return Finding("model", "missing", *_split(error))
    if not set(settings.decision.accept) & set(loaded.labels):
        return Finding(
            "model", "missing", f"labels {', '.join(loaded.labels)}: none is accepted", "set [decision] accept"
        )
    return Finding("model", "ok", f"{name}, {probed.pictures} golden pictures right, {took:.1f} ms each")


def _certificate(settings: Settings) -> Finding:
    from cryptography import x509

    try:
        enrolled = enrolment.read(settings.enrolment)
        found = x509.load_pem_x509_certificate(enrolled.certificate.read_bytes())
    except BadEnrolment as error:
        if settings.model:
            return Finding("certificate", "weak", "not enrolled: sorts with a model of its own", "`tobo edge enroll`")
        return Finding("certificate", "missing", *_split(error))
    except ValueError as error:
        return Finding("certificate", "missing", f"device.pem cannot be read ({error})", "enrol the device again")
    loose = enrolled.key.stat().st_mode & 0o077
    if loose:
        return Finding("certificate", "missing", f"others can read {enrolled.key}", f"chmod 600 {enrolled.key}")
    left = (found.not_valid_after_utc - datetime.now(UTC)).days
    if left < 0:
        return Finding(
            "certificate", "missing", f"expired {-left} days ago, or the clock is wrong", "enrol the device again"
        )
    if left < 30:
        return Finding("certificate", "weak", f"expires in {left} days", "enrol the device again")
    return Finding("certificate", "ok", f"{enrolled.device} of {enrolled.fleet}, {left} days left")


def _network(settings: Settings) -> Finding:
    try:
        cloud = Cloud(enrolment.read(settings.enrolment), timeout=5)
        cloud.ask("GetDeviceRegistration")
    except BadEnrolment:
        return Finding("network", "weak", "not enrolled", "the device sorts without a house")
    except Offline as error:
        return Finding("network", "weak", str(error), "sorting goes on; look at the network and at the house")
    except Denied as error:
        return Finding("network", "missing", str(error), "enrol the device again, or ask whoever runs the house")
    return Finding("network", "ok", "the house answers, and knows this device")


def _clock(settings: Settings) -> Finding:
    now = time.time()
    try:
        cloud = Cloud(enrolment.read(settings.enrolment), timeout=5)
        cloud.ask("GetDeviceRegistration")
        off = now - cloud.now()
    except (BadEnrolment, Offline, Denied):
        said = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
        if now > _LONG_PAST:
            return Finding("clock", "ok", said)
        return Finding("clock", "weak", said, "timedatectl set-ntp true")
    if abs(off) > 60:
        return Finding("clock", "weak", f"{off:+.0f} s from the house's", "timedatectl set-ntp true")
    return Finding("clock", "ok", f"{off:+.0f} s from the house's")


def _disk(settings: Settings) -> Finding:
    folder = settings.state
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk",
            "missing",
            f"{folder} cannot be written by this user",
            f"chown it, or run as its owner ({folder.owner()})",
        )
    free = shutil.disk_usage(folder).free / 1e6
    needed = settings.house.outbox_mb + 200
    if free < needed:
        return Finding(
            "disk",
            "weak",
            f"{free:.0f} MB free at {folder}",
            f"free {needed - free:.0f} MB, or lower [house] outbox_mb",
        )
    return Finding("disk", "ok", f"{free:.0f} MB free at {folder}")


def _memory(settings: Settings) -> Finding:
    mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    if mib < 400:
        return Finding("memory", "weak", f"{mib:.0f} MiB", "the agent wants 80 MiB of 400")
    return Finding("memory", "ok", f"{mib:.0f} MiB")


def _service(settings: Settings) -> Finding:
    if not sys.platform.startswith("linux") or not Path("/run/systemd/system").is_dir():
        return Finding("service", "weak", "no systemd here", "start `tobo-edge run` yourself")
    if not UNIT.exists():
        return Finding("service", "weak", "not installed", "sudo tobo-edge install")
    return Finding("service", "ok", "tobo-edge.service")


def _split(error: Exception) -> tuple[str, str]:
    """A sentence "what; mend." as its two halves."""
    found, _, mend = str(error).rstrip(".").partition("; ")
    return found, mend


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _versions,
    _camera,
    _trigger,
    _actuator,
    _model,
    _certificate,
    _clock,
    _network,
    _disk,
    _memory,
    _service,
)
