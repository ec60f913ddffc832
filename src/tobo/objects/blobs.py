"""Blobs: the immutable files that hold objects' bytes, each durable before anybody hears its name."""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from tobo.objects.refusals import naming_a_full_disk
from tobo.wire.body import Body

_PIECE = 1 << 20


class Blobs:
    """Files `<root>/xx/<name>`, read-only, where xx are the name's first two characters.

    A name carries the tag of the process run that wrote it, so that `left_behind` tells a crashed run's files from
    those that are being written now. Every writing method returns only after file and folder entry are on the disk, and
    leaves nothing behind when it fails; a full disk is Fault InsufficientStorage.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._run = secrets.token_hex(6)
        self._first = secrets.randbelow(256)
        self._numbers = count()
        with naming_a_full_disk(root):
            for number in range(256):
                (root / f"{number:02x}").mkdir(parents=True, exist_ok=True)
            for folder in (root, root.parent):
                _sync(folder)

    def path(self, blob: str) -> Path:
        return Path(f"{self._root}/{blob[:2]}/{blob}")

    def write(self, body: Body) -> str:
        """Stores the body's bytes; a spooled file is taken over by a rename (it is on the same file system)."""
        [blob] = self.write_all([body])
        return blob

    def write_all(self, bodies: Sequence[Body]) -> list[str]:
        """`write` for several bodies: all or none. They reach the disk together, which costs each a third of the time."""
        blobs = [self._new() for _ in bodies]
        with naming_a_full_disk(self._root), ExitStack() as stack:
            files = []
            for blob, body in zip(blobs, bodies, strict=True):
                place = self.path(blob)
                stack.enter_context(_undone_on_failure(place))
                files.append(_filled(place, body))
                stack.callback(os.close, files[-1])
            if len(files) > 1 and hasattr(os, "posix_fadvise"):  # Linux's answer is to begin writing, and not to wait
                for file in files:
                    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            for file in files:
                os.fsync(file)
            for folder in {self.path(blob).parent for blob in blobs}:
                _sync(folder)
        return blobs

    def link(self, source: str) -> str:
        """A second name for a blob's bytes; raises FileNotFoundError when the source is gone."""
        blob = self._new()
        place = self.path(blob)
        with naming_a_full_disk(self._root), _undone_on_failure(place):
            link_or_copy(self.path(source), place)
            _sync(place)  # the source has been; a copy has not
            _sync(place.parent)
        return blob

    def join(self, sources: Iterable[str]) -> str:
        """One blob with the bytes of several, in order; raises FileNotFoundError when one is gone."""
        blob = self._new()
        place = self.path(blob)
        with naming_a_full_disk(self._root), _undone_on_failure(place):
            with place.open("xb") as target:
                for source in sources:
                    with self.path(source).open("rb") as part:
                        shutil.copyfileobj(part, target, _PIECE)
                target.flush()
                os.fchmod(target.fileno(), 0o444)
                os.fsync(target.fileno())
            _sync(place.parent)
        return blob

    def remove(self, blobs: Iterable[str]) -> None:
        """Unlinks files that no row names any more; open readers keep theirs."""
        for blob in blobs:
            self.path(blob).unlink(missing_ok=True)

    def left_behind(self) -> Iterator[tuple[str, list[str]]]:
        """(folder name, blobs in it that earlier runs wrote), folder by folder."""
        for number in range(256):
            folder = f"{number:02x}"
            names = (file.name for file in (self._root / folder).iterdir())
            yield folder, [name for name in names if name[2:14] != self._run]

    def _new(self) -> str:
        # 256 blobs in a row share a folder: neighbours share the file system's metadata blocks, so a sync writes fewer.
        number = next(self._numbers)
        return f"{self._first + (number >> 8) & 255:02x}{self._run}{number:x}"


def _filled(place: Path, body: Body) -> int:
    """The open file of a new blob with the body's bytes, which are not on the disk yet."""
    if body.data is None:
        assert body.path is not None
        body.path.rename(place)
        place.chmod(0o444)
        return os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        rest = memoryview(body.data)
        while rest:
            rest = rest[os.write(file, rest) :]
    except BaseException:
        os.close(file)
        raise
    return file


def link_or_copy(source: Path, destination: Path) -> None:
    """A hard link, or a copy where the file system cannot link (another device, too many links)."""
    try:
        destination.hardlink_to(source)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:
        try:
            shutil.copyfile(source, destination)
            destination.chmod(0o444)
        except BaseException:
            destination.unlink(missing_ok=True)
            raise


class _undone_on_failure:
    """Removes a half-made file when its block fails, whatever the reason."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._place.unlink(missing_ok=True)


def _sync(place: Path) -> None:
    """A file's bytes, or a folder's entries, onto the disk."""
    file = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
