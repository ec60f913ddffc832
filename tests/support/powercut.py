"""A disk that writes down what is done to it, and shows any folder as a power cut would have left it.

The model is the strictest that POSIX allows: a file's content outlives a cut up to its last fsync, a name up to the last
fsync of its folder; of what came later each deed may have reached the disk or not, in any order, and the last write may
be torn or be zeros. A rename is there or not, never half.
"""

import itertools
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tobo.edge.durable import Disk


@dataclass
class File:
    """`safe` is what fsync has promised; `later` the contents after each write since."""

    now: bytes = b""
    safe: bytes = b""
    later: list[bytes] = field(default_factory=list)

    def set(self, data: bytes) -> None:
        self.now = data
        self.later.append(data)

    def sync(self) -> None:
        self.safe, self.later = self.now, []

    def after_cut(self, rng: random.Random) -> bytes:
        if not self.later or rng.random() < 0.3:
            return self.safe
        chosen = rng.choice(self.later)
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(self.safe, chosen, strict=False))
        untouched = sum(1 for _ in same)  # an append does not tear what was there
        torn = rng.randrange(untouched, len(chosen) + 1)
        return rng.choice((chosen, chosen[:torn], chosen[:torn] + bytes(len(chosen) - torn)))


@dataclass
class Folder:
    """`later` are the changes of names since the last fsync: name -> what it names, None where it is gone."""

    now: dict[str, Any] = field(default_factory=dict)
    safe: dict[str, Any] = field(default_factory=dict)
    later: list[dict[str, Any]] = field(default_factory=list)

    def change(self, names: dict[str, Any]) -> None:
        self.later.append(names)
        self.now = _applied(self.now, names)

    def sync(self) -> None:
        self.safe, self.later = dict(self.now), []

    def after_cut(self, rng: random.Random) -> dict[str, Any]:
        names = self.safe
        share = rng.choice((0.0, 0.5, 1.0))
        for change in self.later:
            if rng.random() < share:
                names = _applied(names, change)
        return names


def _applied(names: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {name: what for name, what in {**names, **change}.items() if what is not None}


class PowerCut(BaseException):
    """Nobody catches it: the machine is off."""


class RecordingDisk(Disk):
    """Does what it is told below `root`, and remembers what a cut would leave; goes off before the deed `cut_at`."""

    def __init__(self, root: Path, cut_at: int | None = None) -> None:
        self.root, self.cut_at, self.deeds = root, cut_at, 0
        self.off = False
        self.tree = Folder()
        self._adopt(root, self.tree)

    def _adopt(self, path: Path, folder: Folder) -> None:
        """What is there when the machine starts is safe."""
        for child in path.iterdir():
            what: File | Folder = Folder() if child.is_dir() else File(child.read_bytes(), child.read_bytes())
            if isinstance(what, Folder):
                self._adopt(child, what)
            folder.now[child.name] = folder.safe[child.name] = what

    def leave(self, folder: Path, rng: random.Random) -> Path:
        """What the next start finds, in `folder`, which is made anew."""
        shutil.rmtree(folder, ignore_errors=True)
        _lay_out(self.tree, folder, rng)
        return folder

    def make_folder(self, path: Path) -> None:
        self._deed()
        if not path.exists():
            super().make_folder(path)
            self._folder(path.parent).change({path.name: Folder()})

    def write(self, path: Path, data: bytes) -> None:
        self._deed()
        super().write(path, data)
        self._file(path).set(data)

    def append(self, path: Path, data: bytes) -> None:
        self._deed()
        super().append(path, data)
        file = self._file(path)
        file.set(file.now + data)

    def truncate(self, path: Path, size: int) -> None:
        self._deed()
        super().truncate(path, size)
        file = self._file(path)
        file.set(file.now[:size])

    def sync(self, path: Path) -> None:
        self._deed()
        self._file(path).sync()

    def sync_folder(self, path: Path) -> None:
        self._deed()
        self._folder(path).sync()

    def rename(self, source: Path, target: Path) -> None:
        self._deed()
        assert source.parent == target.parent
        super().rename(source, target)
        folder = self._folder(source.parent)
        folder.change({source.name: None, target.name: folder.now[source.name]})

    def remove(self, path: Path) -> None:
        self._deed()
        if path.exists():
            super().remove(path)
            self._folder(path.parent).change({path.name: None})

    def remove_tree(self, path: Path) -> None:
        """Name by name, so that the power may go in between."""
        if path.is_dir():
            for child in sorted(path.iterdir()):
                if child.is_dir():
                    self.remove_tree(child)
                else:
                    self.remove(child)
            self._deed()
            path.rmdir()
            self._folder(path.parent).change({path.name: None})

    def unpack(self, archive: Path, folder: Path) -> None:
        """File by file, so that the power may go in between."""
        self.remove_tree(folder)
        aside = self.root.with_name(self.root.name + ".aside")
        super().unpack(archive, aside)
        self.make_folder(folder)
        for path in sorted(aside.rglob("*")):
            target = folder / path.relative_to(aside)
            if path.is_dir():
                self.make_folder(target)
            else:
                self.write(target, path.read_bytes())
        shutil.rmtree(aside)

    def _deed(self) -> None:
        if self.off or self.deeds == self.cut_at:
            self.off = True
            raise PowerCut
        self.deeds += 1

    def _folder(self, path: Path) -> Folder:
        found = self.tree
        for part in path.relative_to(self.root).parts:
            found = found.now[part]
        return found

    def _file(self, path: Path) -> File:
        folder = self._folder(path.parent)
        if path.name not in folder.now:
            folder.change({path.name: File()})
        found: File = folder.now[path.name]
        return found


def _lay_out(tree: Folder, folder: Path, rng: random.Random) -> None:
    folder.mkdir()
    for name, what in tree.after_cut(rng).items():
        if isinstance(what, Folder):
            _lay_out(what, folder / name, rng)
        else:
            (folder / name).write_bytes(what.after_cut(rng))
