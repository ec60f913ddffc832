"""What the device has to have, and how it gets there: asked for at the house, fetched, proved, put on trial, reported.

Results are not remembered: the house names a deployment until it has heard of it, and what became of it here stands in
the slots. So that a report that was lost, or a device that was off, is asked again and answers the same.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tobo.edge import download
from tobo.edge.bundle import BadBundle
from tobo.edge.classifier import Classifier
from tobo.edge.cloud import Home
from tobo.edge.compiled import BadModel
from tobo.edge.health import Before, Limits, Watch
from tobo.edge.records import Record
from tobo.edge.slots import Refused, Slot, Slots, Source

log = logging.getLogger(__name__)

Activate = Callable[[Slot, Classifier], None]
"""Makes a version the one that sorts from the next part on."""


@dataclass(frozen=True)
class Wanted:
    """One definition of a deployment, as GetDeployments tells it; `state` is DEPLOY or UNDEPLOY."""

    deployment: str
    handle: str
    url: str
    checksum: str
    state: str

    @property
    def source(self) -> Source:
        return Source(self.deployment, self.checksum)


class Updater:
    """Slots, the house, and the line between them. `poll` is one thread's, `note` may be another's."""

    def __init__(
        self,
        slots: Slots,
        home: Home,
        activate: Activate,
        tell: Callable[..., None],
        limits: Limits | None = None,
        before: Callable[[], Before] = Before,
    ) -> None:
        """`tell(kind, **members)` is told what happens; `before` gives the shares of the version that sorts now."""
        self._slots, self._home, self._activate, self._tell = slots, home, activate, tell
        self._limits, self._before = limits or Limits(), before
        self._lock = threading.Lock()
        self._watch: Watch | None = None

    def start(self) -> Slot | None:
        """Activates the version that this device has; None where it has none yet."""
        started = self._slots.start()
        if started is None:
            return None
        self._begin(*started)
        return started[0]

    @property
    def on_trial(self) -> bool:
        """Whether the version that sorts has yet to prove itself."""
        return self._slots.state.trial

    def poll(self) -> None:
        """Asks what this device has to have, and does it. Raises Offline, Denied, OSError: the next poll goes on."""
        for wanted in wanted_of(self._home.ask("GetDeployments")):
            result = self._undeploy(wanted) if wanted.state == "UNDEPLOY" else self._deploy(wanted)
            if result is not None:
                self._report(wanted, *result)

    def note(self, record: Record) -> None:
        """Watches the version on trial; confirms it, or goes back to the one before."""
        watch = self._watch
        if watch is None:
            return
        found = watch.note(record)
        if found == "watching":
            return
        with self._lock:
            self._watch = None
            if found == "healthy":
                self._slots.confirm()
                self._tell("deployment", result="SUCCESS", model=watch.digest)
            elif not self._go_back(found):
                self._slots.stay(found)

    def _deploy(self, wanted: Wanted) -> tuple[str, str] | None:
        """What is to be reported; None while it is not known."""
        with self._lock:
            state = self._slots.state
            if wanted.deployment in state.refused:
                return "FAIL", state.refused[wanted.deployment]
            present = state.sources.get(state.slot) if state.slot is not None else None
            if present is not None and present.checksum == wanted.checksum:
                return None if state.trial else ("SUCCESS", "")
            if state.trial:
                return None  # the one before is still watched
        try:
            self._install(wanted)
        except download.BadDownload as error:
            self._slots.refuse(wanted.deployment, str(error))
            return "FAIL", str(error)
        except Refused as error:
            return "FAIL", str(error)
        return None if self._slots.state.trial else ("SUCCESS", "")

    def _install(self, wanted: Wanted) -> None:
        folder, disk = self._slots.folder, self._slots.disk
        archive = download.download(disk, folder, wanted.url, wanted.checksum, self._home.fetch)
        with self._lock:
            try:
                slot, classifier = self._slots.install(archive, wanted.source)
            except Refused:
                download.discard(disk, folder)
                raise
            self._slots.switch(slot)
            self._begin(slot, classifier)
        download.discard(disk, folder)
        self._tell("deployment", deployment=wanted.deployment, result="TRIAL", model=slot.digest)

    def _undeploy(self, wanted: Wanted) -> tuple[str, str]:
        with self._lock:
            state = self._slots.state
            present = state.sources.get(state.slot) if state.slot is not None else None
            if present is None or present.checksum != wanted.checksum:
                return "SUCCESS", "It is not on this device."
            if not self._go_back("The deployment was taken back."):
                return "FAIL", "There is no version before it on this device."
            return "SUCCESS", ""

    def _go_back(self, reason: str) -> bool:
        """To the other slot, where it is whole."""
        previous = self._slots.previous()
        try:
            slot = self._slots.read(previous) if previous is not None else None
            if slot is not None:
                self._slots.load(slot.folder)
        except (BadBundle, BadModel) as error:
            log.error("there is nothing to go back to: %s", error)
            slot = None
        if slot is None:
            return False
        log.warning("back to the version before: %s", reason)
        self._slots.roll_back(reason)
        self.start()
        self._tell("deployment", result="ROLLBACK", reason=reason, model=slot.digest)
        return True

    def _begin(self, slot: Slot, classifier: Classifier) -> None:
        before = self._before()
        self._activate(slot, classifier)
        self._watch = Watch(slot.digest, self._limits, before) if self._slots.state.trial else None

    def _report(self, wanted: Wanted, status: str, message: str) -> None:
        model = {"ModelHandle": wanted.handle, "DesiredState": wanted.state, "Status": status}
        if status == "SUCCESS":
            model["State"] = wanted.state
        result: dict[str, Any] = {
            "DeploymentName": wanted.deployment,
            "DeploymentStatus": status,
            "DeploymentStatusMessage": message[:1000],
            "DeploymentEndTime": self._home.now(),
            "DeploymentModels": [model],
        }
        self._home.ask("SendHeartbeat", AgentVersion=agent_version(), DeploymentResult=result)


def wanted_of(answer: Mapping[str, Any]) -> list[Wanted]:
    """The definitions of a GetDeployments answer; what this agent does not understand is left out and logged."""
    found: list[Wanted] = []
    for deployment in answer.get("Deployments") or ():
        for definition in deployment.get("Definitions") or ():
            try:
                if definition["Checksum"]["Type"] != "SHA1" or definition["State"] not in ("DEPLOY", "UNDEPLOY"):
                    raise KeyError("Checksum.Type or State")
                found.append(
                    Wanted(
                        str(deployment["DeploymentName"]),
                        str(definition["ModelHandle"]),
                        str(definition["S3Url"]),
                        str(definition["Checksum"]["Sum"]).lower(),
                        str(definition["State"]),
                    )
                )
            except (KeyError, TypeError) as error:
                log.error("a deployment that this agent does not understand (%s): %s", error, json.dumps(deployment))
    return found


def agent_version() -> str:
    """tobo's own, as SendHeartbeat wants it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tobo")
    except PackageNotFoundError:
        return "0"
