"""What a job leaves behind, put into its S3OutputPath: model, output data, checkpoints."""

import mimetypes
import os
import tarfile
import tempfile
from pathlib import Path

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri
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
        _put_file(objects, space, Path(name), target, "application/x-gzip")
    finally:
        Path(name).unlink(missing_ok=True)


def put_folder(objects: Objects, space: Namespace, folder: Path, target: S3Uri, temporary: Path) -> None:
    """Every file of `folder` under its own key; one that the store has already, and not older, is left alone."""
    temporary.mkdir(parents=True, exist_ok=True)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        uri = target.below(*path.relative_to(folder).parts)
        try:
            status = path.stat()
            known = objects.head(space, uri.bucket, uri.key)
            if known.size == status.st_size and known.modified >= status.st_mtime:
                continue
        except FileNotFoundError:
            continue  # the job replaced it meanwhile; the next round takes the new one
        except Fault:
            pass
        descriptor, name = tempfile.mkstemp(dir=temporary)
        os.close(descriptor)
        try:
            Path(name).write_bytes(path.read_bytes())
            _put_file(objects, space, Path(name), uri, mimetypes.guess_type(path.name)[0] or "binary/octet-stream")
        finally:
            Path(name).unlink(missing_ok=True)


def is_empty(folder: Path) -> bool:
    return not folder.is_dir() or next(folder.iterdir(), None) is None


def _put_file(objects: Objects, space: Namespace, path: Path, uri: S3Uri, content_type: str) -> None:
    info = ObjectInfo(uri.bucket, uri.key, 0, "", 0.0, headers={"ContentType": content_type})
    objects.put(space, info, Body(path.stat().st_size, path=path))
