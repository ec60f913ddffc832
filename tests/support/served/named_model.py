"""A model of the tests' own: answers with its name and what it was sent, so that one model is told from another.

The archive's name.txt says the name; `broken` instead of a name fails to load, as any does while there is a file
BROKEN_WHILE; loading takes LOADING seconds. A body `sleep 0.5 ...` takes its time, `hold path` waits for a file, `die`
ends the process. What it was asked is written to the file RECORD, a line each, PAUSE seconds later.
"""

import os
import time
from pathlib import Path

from tobo.inference.invocations import Handler, Request, Response


def handler(folder: Path) -> Handler:
    time.sleep(float(os.environ.get("LOADING", "0")))
    name = (folder / "name.txt").read_text()
    if name == "broken" or Path(os.environ.get("BROKEN_WHILE", "/nowhere")).exists():
        raise RuntimeError("this model is broken on purpose")

    record = os.environ.get("RECORD")

    def answer(request: Request) -> Response:
        word, *rest = request.body.split(b" ", 2)
        if word == b"sleep":
            time.sleep(float(rest[0]))
        elif word == b"hold":
            while not Path(rest[0].decode()).exists():
                time.sleep(0.01)
        elif word == b"die":
            os._exit(9)
        if record:
            time.sleep(float(os.environ.get("PAUSE", "0")))
            with Path(record).open("ab") as file:
                file.write(request.body + b"\n")
        return Response(200, name.encode() + b": " + request.body, "text/plain")

    return answer
