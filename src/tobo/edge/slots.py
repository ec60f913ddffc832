"""Two slots for two versions of the model, A and B: one sorts, the other is free for the next one.

    slots/a  slots/b       unpacked bundles (bundle.py)
    slots/incoming         one that is being unpacked and proved
    slots/current.json     which one sorts, and whether it is on trial

A bundle is unpacked beside the slots, verified, probed on its golden pictures and synced before it gets a slot's name,
and it has a slot's name before current.json points at it: cut the power anywhere, and there is one complete version. A
version is on trial until its health is confirmed; while it is, the other slot is what it falls back to, so that nothing
else is installed.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from tobo.edge import classifier
from tobo.edge.bundle import BadBundle, Manifest, digest_of
from tobo.edge.classifier import Classifier
from tobo.edge.compiled import BadModel
from tobo.edge.durable import Disk, read_json, replace_json, sync_tree
from tobo.edge.prove import Prove

log = logging.getLogger(__name__)

Name = Literal["a", "b"]
NAMES: tuple[Name, Name] = ("a", "b")

MAX_STARTS = 5
"""A version on trial that the agent has started with so often without confirming it has taken the agent down."""
_REMEMBERED = 20
"""Refused deployments are remembered, so that their bundles are not fetched again at every poll."""


class Refused(Exception):
    """The bundle does not come onto this device; the message is one sentence for the deployment's report."""


@dataclass(frozen=True)
class Source:
    """Where a version came from: the deployment's name and the SHA-1 of the archive, in hexadecimal."""

    deployment: str
    checksum: str


@dataclass(frozen=True)
class Slot:
    """A complete version; `source` is None where current.json was lost."""

    name: Name
    folder: Path
    manifest: Manifest
    digest: str
    source: Source | None


@dataclass(frozen=True)
class Current:
    """current.json. `sources` by slot, of versions that have sorted; `starts` counts those of the agent during the
    trial; `refused` says by deployment why it is not on this device."""

    slot: Name | None = None
    trial: bool = False
    starts: int = 0
    sources: Mapping[str, Source] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


class Slots:
    """Holds the folder of both; one process at a time. Every method may be cut off by the power and called again."""

    def __init__(
        self,
        folder: Path,
        prove: Prove,
        disk: Disk | None = None,
        check: Callable[[Classifier], None] = lambda found: None,
    ) -> None:
        """`check` raises BadModel for a model that is no use here."""
        self.folder, self.disk, self._check = folder, disk or Disk(), check
        self._prove = prove
        folder.mkdir(parents=True, exist_ok=True)
        self.state = self._read()

    def start(self) -> tuple[Slot, Classifier] | None:
        """What sorts from now on: the current slot or, where that is broken, the other one; None where there is none.

        Counts the start during a trial, and ends a trial that has started too often.
        """
        self._clean()
        if self.state.trial:
            if self.state.starts >= MAX_STARTS:
                self.roll_back(f"The agent has started {MAX_STARTS} times with it without getting it confirmed.")
            else:
                self._note(replace(self.state, starts=self.state.starts + 1))
        first = self.state.slot or "a"
        for name in (first, _other(first)):
            try:
                slot = self.read(name)
                found = self.load(slot.folder)
            except (BadBundle, BadModel) as error:
                if (self.folder / name).exists():
                    log.error("Slot %s is broken: %s", name, error)
                continue
            if name != self.state.slot:
                # Not written down: what could not be proved today may be whole, and is tried again at the next start.
                self.state = replace(self.state, slot=name, trial=False, starts=0)
            return slot, found
        return None

    def read(self, name: Name) -> Slot:
        """A slot's version, verified anew. Raises BadBundle."""
        folder = self.folder / name
        if not folder.is_dir():
            raise BadBundle(f"Slot {name} is empty.")
        manifest = self._prove(folder)
        return Slot(name, folder, manifest, digest_of(manifest.to_bytes()), self.state.sources.get(name))

    def load(self, folder: Path) -> Classifier:
        """The model of a version, probed on its golden pictures. Raises BadModel."""
        found = classifier.load(folder)
        classifier.probe(folder, found)
        self._check(found)
        return found

    def install(self, archive: Path, source: Source) -> tuple[Slot, Classifier]:
        """Puts an archive into the free slot, without switching to it.

        Raises Refused, after which the deployment is remembered as such, and OSError where the disk does not let it.
        """
        from tobo.kit.archive import BadArchive

        if self.state.trial:
            raise OSError("Another version is on trial; this one comes after it.")
        try:
            return self._install(archive, source)
        except (BadBundle, BadArchive, BadModel) as error:
            self.refuse(source.deployment, str(error))
            raise Refused(str(error)) from None
        finally:
            self.disk.remove_tree(self.folder / "incoming")

    def _install(self, archive: Path, source: Source) -> tuple[Slot, Classifier]:
        with archive.open("rb") as file:
            if hashlib.file_digest(file, "sha1").hexdigest() != source.checksum:
                raise BadBundle(f"The archive's SHA-1 is not {source.checksum}, which the deployment names.")
        incoming = self.folder / "incoming"
        self.disk.unpack(archive, incoming)
        manifest = self._prove(incoming, probe=True)
        self._refuse_downgrade(manifest)
        found = self.load(incoming)
        sync_tree(self.disk, incoming)
        name = _other(self.state.slot) if self.state.slot else "a"
        # From here on there is nothing to go back to until the switch.
        self._write(replace(self.state, sources={k: v for k, v in self.state.sources.items() if k != name}))
        free = self.folder / name
        self.disk.remove_tree(free)
        self.disk.rename(incoming, free)
        self.disk.sync_folder(self.folder)
        return Slot(name, free, manifest, digest_of(manifest.to_bytes()), source), found

    def _refuse_downgrade(self, manifest: Manifest) -> None:
        if self.state.slot is None:
            return
        try:
            present = self.read(self.state.slot).manifest
        except BadBundle:
            return  # what is broken cannot be older or newer
        if manifest.sequence < present.sequence:
            raise BadBundle(
                f"The bundle has sequence {manifest.sequence}, this device has {present.sequence} already; "
                "package the model again to go back to it."
            )

    def switch(self, slot: Slot) -> None:
        """From now on `slot` sorts; on trial where there is another one to fall back to."""
        fall_back = self.state.slot not in (None, slot.name)
        sources = dict(self.state.sources)
        if slot.source is not None:
            sources[slot.name] = slot.source
        self._write(replace(self.state, slot=slot.name, trial=fall_back, starts=0, sources=sources))

    def confirm(self) -> None:
        """The version on trial stays."""
        if self.state.trial:
            self._note(replace(self.state, trial=False, starts=0))

    def previous(self) -> Name | None:
        """The slot that sorted before, where its version is still there."""
        if self.state.slot is None:
            return None
        other = _other(self.state.slot)
        return other if other in self.state.sources else None

    def roll_back(self, reason: str) -> None:
        """Back to the other slot, which `start` reads; the deployment that is left is remembered as refused."""
        if self.state.slot is None:
            return
        left = self.state.sources.get(self.state.slot)
        refused = self._with_refused(left.deployment, reason) if left else self.state.refused
        self._note(replace(self.state, slot=_other(self.state.slot), trial=False, starts=0, refused=refused))

    def stay(self, reason: str) -> None:
        """The version on trial is ill, and there is none to go back to: it is refused, and sorts on."""
        ill = self.state.sources.get(self.state.slot) if self.state.slot is not None else None
        refused = self._with_refused(ill.deployment, reason) if ill else self.state.refused
        self._note(replace(self.state, trial=False, starts=0, refused=refused))

    def refuse(self, deployment: str, reason: str) -> None:
        """Remembers a deployment that is not to be fetched again."""
        self._note(replace(self.state, refused=self._with_refused(deployment, reason)))

    def _with_refused(self, deployment: str, reason: str) -> dict[str, str]:
        kept = {**self.state.refused, deployment: reason}
        return dict(list(kept.items())[-_REMEMBERED:])

    def _clean(self) -> None:
        """Removes what a power cut has left half done."""
        try:
            self.disk.remove_tree(self.folder / "incoming")
            self.disk.remove(self.folder / "current.json.new")
        except OSError as error:
            log.warning("%s", error)

    def _note(self, state: Current) -> None:
        """Holds from now on, whether the disk takes it or not: a full one must not keep an ill version on the line."""
        try:
            self._write(state)
        except OSError as error:
            log.error("this will be forgotten with the next restart: %s", error)
            self.state = state

    def _write(self, state: Current) -> None:
        replace_json(self.disk, self.folder / "current.json", asdict(state))
        self.state = state

    def _read(self) -> Current:
        found = read_json(self.folder / "current.json")
        if found is None:
            return self._guess()
        try:
            sources = {name: Source(**source) for name, source in found["sources"].items()}
            return Current(**{**found, "sources": sources})
        except (TypeError, KeyError, AttributeError):
            return self._guess()

    def _guess(self) -> Current:
        """Without a readable current.json: the newest version that is whole."""
        self.state = Current()
        newest: Slot | None = None
        for name in NAMES:
            try:
                slot = self.read(name)
            except BadBundle:
                continue
            if newest is None or slot.manifest.sequence > newest.manifest.sequence:
                newest = slot
        return Current(slot=newest.name if newest else None)


def _other(name: Name) -> Name:
    return "b" if name == "a" else "a"
