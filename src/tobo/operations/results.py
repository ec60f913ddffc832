"""What a job leaves behind, put into its S3OutputPath: model, output data, checkpoints."""

import mimetypes
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri
from tobo.kit.strangers import open_file
from tobo.objects.base import ObjectInfo, Objects
from tobo.wire.body import Body


def put_archive(objects: Objects, space: Namespace, folder: Path, target: S3Uri, temporary: Path) -> None:
    """`folder` as one .tar.gz, paths relative to it. Weights hardly compress: the quickest level costs least for the same size."""
    temporary.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(suffix=".tar.gz", dir=temporary)
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
        put_file(objects, space, Path(name), target, "application/x-gzip")
    finally:
        Path(name).unlink(missing_ok=True)


def put_folder(objects: Objects, space: Namespace, folder: Path, target: S3Uri, temporary: Path) -> None:
    """Every file of `folder` under its own key; one that the store has already, and not older, is left alone.

    Whose job may still run could put a link to anything in a file's place: no link is followed, none is uploaded.
    """
    temporary.mkdir(parents=True, exist_ok=True)
    for at, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        folders.sort()
        for name in sorted(files):
            uri = target.below(*(Path(at) / name).relative_to(folder).parts)
            try:
                file = open_file(name, descriptor)
            except OSError:
                continue  # the job replaced it meanwhile, in which case the next round takes the new one; or a link
            with file:
                status = os.fstat(file.fileno())
                if not _is_known(objects, space, uri, status):
                    _put_copy(objects, space, file, uri, temporary)


def is_empty(folder: Path) -> bool:
    return not folder.is_dir() or next(folder.iterdir(), None) is None


def _is_known(objects: Objects, space: Namespace, uri: S3Uri, status: os.stat_result) -> bool:
    try:
        known = objects.head(space, uri.bucket, uri.key)
    except Fault:
        return False
    return known.size == status.st_size and known.modified >= status.st_mtime


def _put_copy(objects: Objects, space: Namespace, file: IO[bytes], uri: S3Uri, temporary: Path) -> None:
    """A copy, for the job may go on writing while the store reads."""
    descriptor, name = tempfile.mkstemp(dir=temporary)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(file, copy)
        put_file(objects, space, Path(name), uri, mimetypes.guess_type(uri.key)[0] or "binary/octet-stream")
    finally:
        Path(name).unlink(missing_ok=True)


def put_file(objects: Objects, space: Namespace, path: Path, target: S3Uri, content_type: str) -> ObjectInfo:
    """One file as an object, of which it tells etag and size."""
    info = ObjectInfo(target.bucket, target.key, 0, "", 0.0, headers={"ContentType": content_type})
    return objects.put(space, info, Body(path.stat().st_size, path=path))
