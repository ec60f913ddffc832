"""FolderObjects: the object store over a local folder, bytes in `blobs/`, everything else in `index.db`."""

import logging
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tobo.kit.arn import Namespace
from tobo.kit.clock import Clock
from tobo.kit.fault import Fault
from tobo.objects.base import UNCONDITIONAL, Bucket, Condition, Listing, ObjectInfo, Part, Upload
from tobo.objects.blobs import Blobs, link_or_copy
from tobo.objects.digests import digest, etag_of_parts
from tobo.objects.index import Index
from tobo.objects.refusals import naming_a_full_disk, overwritten_meanwhile
from tobo.objects.scan import scan
from tobo.objects.uploads import Uploads
from tobo.wire.body import Body

log = logging.getLogger("tobo.objects")


class FolderObjects:
    """Implements objects/base.py. One process at a time may have a folder open.

    The order of every write is: the new blob on the disk, then the row that names it (one transaction), then the old
    blob's end. A crash in between leaves at most blobs that no row names; they are removed after the next start.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._blobs = Blobs(root / "blobs")
        self._index = Index(root / "index.db")
        self._uploads = Uploads(self._index)
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="tobo-objects-sweep", daemon=True)
        self._sweeper.start()

    def create_bucket(self, space: Namespace, name: str, tags: Mapping[str, str]) -> Bucket:
        bucket = Bucket(name, self._clock.now(), dict(tags))
        self._index.create_bucket(space, bucket)
        return bucket

    def bucket(self, space: Namespace, name: str) -> Bucket:
        return self._index.bucket(space, name)

    def buckets(self, space: Namespace) -> Sequence[Bucket]:
        return self._index.buckets(space)

    def change_bucket(self, space: Namespace, bucket: Bucket) -> None:
        self._index.change_bucket(space, bucket)

    def delete_bucket(self, space: Namespace, name: str) -> None:
        self._blobs.remove(self._index.delete_bucket(space, name))

    def put(self, space: Namespace, info: ObjectInfo, body: Body, condition: Condition = UNCONDITIONAL) -> ObjectInfo:
        etag = f'"{digest(body, "md5").hex()}"'
        return self._publish(space, replace(info, size=body.size, etag=etag), self._blobs.write(body), condition)

    def put_all(self, space: Namespace, puts: Sequence[tuple[ObjectInfo, Body]]) -> list[ObjectInfo]:
        etags = [f'"{digest(body, "md5").hex()}"' for _, body in puts]
        blobs = self._blobs.write_all([body for _, body in puts])
        now = self._clock.now()
        wholes = [
            replace(info, size=body.size, etag=etag, blob=blob, modified=now)
            for (info, body), etag, blob in zip(puts, etags, blobs, strict=True)
        ]
        try:
            replaced = self._index.publish_all(space, wholes)
        except BaseException:
            self._blobs.remove(blobs)
            raise
        self._blobs.remove(replaced)
        return wholes

    def head(self, space: Namespace, bucket: str, key: str) -> ObjectInfo:
        return self._index.find(space, bucket, key)

    def path(self, space: Namespace, info: ObjectInfo) -> Path:
        return self._blobs.path(info.blob)

    def link_to(self, space: Namespace, info: ObjectInfo, destination: Path) -> None:
        while True:
            try:
                with naming_a_full_disk(destination.parent):
                    link_or_copy(self._blobs.path(info.blob), destination)
                return
            except FileNotFoundError:
                newer = self.head(space, info.bucket, info.key)
                if newer.blob == info.blob:
                    raise  # not overwritten: the destination's folder is missing
                info = newer

    def copy(
        self, space: Namespace, source: ObjectInfo, target: ObjectInfo, condition: Condition = UNCONDITIONAL
    ) -> ObjectInfo:
        try:
            blob = self._blobs.link(source.blob)
        except FileNotFoundError:
            raise overwritten_meanwhile(source.key) from None
        info = replace(target, size=source.size, etag=source.etag, parts=source.parts)
        return self._publish(space, info, blob, condition)

    def change(self, space: Namespace, info: ObjectInfo) -> None:
        self._index.change(space, info)

    def delete(self, space: Namespace, bucket: str, keys: Sequence[str], condition: Condition = UNCONDITIONAL) -> None:
        self._blobs.remove(self._index.delete(space, bucket, keys, condition))

    def list(
        self, space: Namespace, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        db = self._index.reader()
        return scan(db, bucket, self._index.bucket_id(db, space, bucket), prefix, delimiter, after, limit)

    def start_upload(self, space: Namespace, upload: Upload) -> Upload:
        started = replace(upload, upload_id=secrets.token_urlsafe(24), started=self._clock.now())
        self._uploads.start(space, started)
        return started

    def upload(self, space: Namespace, bucket: str, key: str, upload_id: str) -> Upload:
        return self._uploads.find(space, bucket, key, upload_id)

    def uploads(self, space: Namespace, bucket: str, prefix: str = "") -> Sequence[Upload]:
        return self._uploads.all(space, bucket, prefix)

    def put_part(self, space: Namespace, upload: Upload, part: Part, body: Body) -> Part:
        etag = f'"{digest(body, "md5").hex()}"'
        stored = replace(part, size=body.size, etag=etag, modified=self._clock.now())
        blob = self._blobs.write(body)
        try:
            replaced = self._uploads.put_part(upload, stored, blob)
        except BaseException:
            self._blobs.remove([blob])
            raise
        self._blobs.remove(replaced)
        return stored

    def parts(self, space: Namespace, upload: Upload) -> Sequence[Part]:
        return [part for part, _ in self._uploads.parts(upload)]

    def complete_upload(
        self,
        space: Namespace,
        upload: Upload,
        parts: Sequence[Part],
        info: ObjectInfo,
        condition: Condition = UNCONDITIONAL,
    ) -> ObjectInfo:
        blobs = {(part.number, part.etag): blob for part, blob in self._uploads.parts(upload)}
        try:
            chosen = [blobs[part.number, part.etag] for part in parts]
        except KeyError as missing:
            raise Fault("InvalidPart", f"Part {missing.args[0][0]} was never uploaded, or has another ETag.") from None
        whole = replace(
            info,
            size=sum(part.size for part in parts),
            etag=etag_of_parts(part.etag for part in parts),
            modified=self._clock.now(),
            parts=[part.size for part in parts],
        )
        try:
            whole = replace(whole, blob=self._blobs.link(chosen[0]) if len(chosen) == 1 else self._blobs.join(chosen))
        except FileNotFoundError:
            raise Fault("OperationAborted", "A part was replaced, or the upload ended, meanwhile.", 409) from None
        try:
            freed = self._uploads.complete(space, upload, chosen, whole, condition)
        except BaseException:
            self._blobs.remove([whole.blob])
            raise
        self._blobs.remove(freed)
        return whole

    def abort_upload(self, space: Namespace, upload: Upload) -> None:
        self._blobs.remove(self._uploads.abort(upload))

    def close(self) -> None:
        self._closing.set()
        self._sweeper.join()
        self._index.close()

    def _publish(self, space: Namespace, info: ObjectInfo, blob: str, condition: Condition) -> ObjectInfo:
        whole = replace(info, blob=blob, modified=self._clock.now())
        try:
            replaced = self._index.publish(space, whole, condition)
        except BaseException:
            self._blobs.remove([blob])
            raise
        self._blobs.remove(replaced)
        return whole

    def _sweep(self) -> None:
        """Removes what a crash left behind: blobs of earlier runs that no row names."""
        for folder, names in self._blobs.left_behind():
            if self._closing.is_set():
                return
            if names and (orphans := set(names) - self._index.named_blobs(folder)):
                self._blobs.remove(orphans)
                log.info("removed %d blobs in %s that an interrupted write had left", len(orphans), folder)
