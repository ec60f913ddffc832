"""Models that replicas of tests serve (TOBO_MODEL_SERVER="handlers:words"), and how an endpoint gets one.

Replicas import this file by its folder, without the tests' own packages.
"""

import io
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tobo.inference.invocations import Handler, Request, Response, refusal

FOLDER = Path(__file__).parent


def environment(factory: str) -> dict[str, str]:
    """For a container that serves a factory of this file."""
    return {"TOBO_MODEL_SERVER": f"handlers:{factory}", "PYTHONPATH": str(FOLDER)}


def archive(**files: str) -> bytes:
    """A model.tar.gz of text files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


def words(folder: Path) -> Handler:
    """Does what the first word says; else answers in capitals. Each request is a line of `asked` beside the model."""
    asked = folder.parent / "asked"

    def answer(request: Request) -> Response:
        with asked.open("a") as lines:
            lines.write(request.body.decode("latin-1") + "\n")
        word, _, rest = request.body.decode("latin-1").partition(" ")
        match word:
            case "refuse":
                return refusal(int(rest), "I would rather not.")
            case "sleep":
                time.sleep(float(rest.split()[0]))
            case "die":
                os._exit(9)
            case "pieces":
                return Response(200, _pieces(rest.split(), folder.parent / "pieces"), "text/plain", "in pieces")
        return Response(200, request.body.upper(), request.content_type, request.custom_attributes)

    return answer


def _pieces(pieces: list[str], told: Path) -> Iterator[bytes]:
    try:
        for piece in pieces:
            if piece == "raise":
                raise ValueError("no more pieces")
            if piece == "die":
                os._exit(9)
            if piece == "forever":
                while True:
                    time.sleep(0.01)
                    told.write_text("going on")
                    yield b"on and "
            yield piece.encode()
    finally:
        told.write_text("closed")


def named(folder: Path) -> Handler:
    """Answers with the name that is in its model, taking up `megabytes` of memory; one without a name does not load."""
    name = (folder / "name").read_text()
    size = int((folder / "megabytes").read_text()) if (folder / "megabytes").exists() else 0
    weight = os.urandom(size << 20)

    def answer(request: Request) -> Response:
        if request.body == b"die":
            os._exit(9)
        return Response(200, f"{name} {len(weight) >> 20} {request.target_model}".encode(), "text/plain")

    return answer


def model_request(name: str, factory: str, data: str, **container: Any) -> dict[str, Any]:
    """A CreateModel request for a factory of this file and its artefact."""
    made = {"Image": "image-classification:1", "ModelDataUrl": data, "Environment": environment(factory), **container}
    return {"ModelName": name, "ExecutionRoleArn": "arn:aws:iam::111122223333:role/any", "PrimaryContainer": made}
