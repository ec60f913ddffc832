"""`tobo-edge install`: the enrolment, agent.toml and a systemd unit, where the agent will find them."""

import grp
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tobo.edge import enrolment, settings
from tobo.edge.durable import Disk, replace_file

_GROUPS = ("video", "render", "gpio", "i2c")
"""Who may use cameras and pins on Raspberry Pi OS and Debian."""

UNIT = Path("/etc/systemd/system/tobo-edge.service")


@dataclass(frozen=True)
class Installed:
    """What was written; `kept` are files that were there and were left alone."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def install(source: Path | None, folder: Path, state: Path, user: str, unit: Path | None) -> Installed:
    """May be run again: a new enrolment takes the place of the old one, an agent.toml that is there stays.

    `source` is the enrolment's folder, None for a device without a house; `unit` the systemd unit's file, None for
    none. Raises BadEnrolment, and OSError where it may not write.
    """
    written, kept = [], []
    folder.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    if source is not None:
        enrolment.read(source)
        target = folder / "enrolment"
        target.mkdir(mode=0o700, exist_ok=True)
        for name in enrolment.FILES:
            replace_file(Disk(), target / name, (source / name).read_bytes())
            (target / name).chmod(0o600 if name.endswith(".key") else 0o644)
        written.append(target)
    config = folder / settings.FILE
    if config.exists():
        kept.append(config)
    else:
        config.write_text(TEMPLATE.format(state=state))
        written.append(config)
    if unit is not None:
        unit.write_text(unit_of(folder, state, user))
        written.append(unit)
    _give(user, [folder, state, folder / "enrolment", *(folder / "enrolment" / name for name in enrolment.FILES)])
    return Installed(tuple(written), tuple(kept))


def _give(user: str, paths: list[Path]) -> None:
    """To the user that the agent runs as, where we may."""
    if os.geteuid() == 0 and user != "root":
        for path in paths:
            if path.exists():
                shutil.chown(path, user, user)


def unit_of(folder: Path, state: Path, user: str) -> str:
    """The systemd unit: started at boot, started again whenever it ends or its loop hangs for ten seconds."""
    groups = " ".join(name for name in _GROUPS if _exists(name))
    return f"""[Unit]
Description=tobo edge agent: camera, model, arm
After=local-fs.target time-sync.target

[Service]
Type=notify
ExecStart={sys.executable} -m tobo.edge run --folder {folder}
User={user}
SupplementaryGroups={groups}
WatchdogSec=10
Restart=always
RestartSec=1
Nice=-10
OOMScoreAdjust=-500
Environment=OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ReadWritePaths={state}

[Install]
WantedBy=multi-user.target
"""


def _exists(group: str) -> bool:
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True


TEMPLATE = """# The agent's settings; docs/edge.md explains each. `tobo-edge doctor` checks them.
state = "{state}"

[camera]
kind = "picamera2"          # picamera2, opencv (USB), rtsp, folder
size = [640, 480]
# source = 0                # opencv: 0 is /dev/video0; rtsp: "rtsp://..."; folder: "/path"
# exposure_ms = 2.0         # fixed, so that marbles do not blur and light does not drift
# gain = 4.0

[trigger]
kind = "light-barrier"      # light-barrier, interval, motion
pin = 17                    # BCM number
# delay_ms = 0              # from the barrier to the camera

[actuator]
kind = "servo"              # servo, relay, http, mqtt, none
pin = 18
ok_angle = 45
ko_angle = -45              # the arm rests here
# belt_pin = 23             # relay that lets the belt run

[decision]
accept = ["ok"]             # labels that are ok; everything else is ko
budget_ms = 100             # later than this after its arrival, a part is ko
separation_ms = 0           # sooner than this after the one before, a command waits until that one has passed the arm

[keep]
margin = 0.2                # frames that are less sure than this are kept for labelling
share = 0.001               # and this share of the others
"""
