"""Shelves: the models of a multi-model variant, laid out from S3 when somebody asks for one, for its replicas to load.

Source: Developer Guide, "Multi-model endpoints"; API reference, InvokeEndpoint (TargetModel).
"""

import asyncio
import shutil
import uuid
from pathlib import Path

from tobo.kit.archive import BadArchive, unpack
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.paths import MlPaths
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Context

_LAYING: dict[Path, asyncio.Task[None]] = {}
"""What is being laid out: requests for the same model wait for one unpacking. Of the event loop."""


class Shelf:
    """The models below one S3 prefix, as folders below <root>/models. A model that lies there is not read from S3 again."""

    def __init__(self, context: Context, space: Namespace, data: str, root: Path) -> None:
        """`data` is the model's ModelDataUrl, `root` the /opt/ml tree of the variant's replicas."""
        self._context = context
        self._space = space
        self._prefix = parse_s3_uri(data, "ModelDataUrl")
        self._root = root

    async def lay_out(self, target: str) -> None:
        """Makes a model ready to be loaded.

        Raises Fault ValidationError where TargetModel names none, ModelError where its archive is refused.
        """
        folder = MlPaths(self._root).target_model(target)
        if folder.is_dir():
            return
        uri = self._uri(target)
        task = _LAYING.get(folder)
        if task is None:
            task = _LAYING[folder] = asyncio.create_task(asyncio.to_thread(self._lay_out, uri, target, folder))
            task.add_done_callback(lambda done: _LAYING.pop(folder))
        await asyncio.shield(task)

    def _uri(self, target: str) -> S3Uri:
        parts = target.removeprefix("/").split("/")
        if not target or any(part in ("", ".", "..") for part in parts):
            raise Fault(
                "ValidationError",
                f"TargetModel '{target}' is no path of an archive below {self._prefix}; give one like 'a.tar.gz'.",
            )
        return self._prefix.below(*parts)

    def _lay_out(self, uri: S3Uri, target: str, folder: Path) -> None:
        making = folder.with_name(f"unpacking-{uuid.uuid4()}")
        try:
            info = self._context.objects.head(self._space, uri.bucket, uri.key)
            unpack(self._context.objects.path(self._space, info), making)
        except (Fault, FileNotFoundError):
            raise Fault("ValidationError", f"There is no model at {uri}; TargetModel '{target}' names none.") from None
        except BadArchive as bad:
            text = f"The archive of model '{target}' is refused: {bad}"
            raise Fault("ModelError", text, 424, {"OriginalStatusCode": 500, "OriginalMessage": text}) from None
        try:
            making.rename(folder)
        except OSError:  # a killed server's successor was asked, too
            shutil.rmtree(making, ignore_errors=True)
