"""Models that do what the first word says, or tell one model from another where there are several."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tobo.inference.invocations import Handler, Request, Response, refusal


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
