"""A model that writes down in the file SEEN what it was asked, and answers with it, SLEEP seconds later."""

import os
import time
from pathlib import Path

from tobo.inference.invocations import Handler, Request, Response


def handler(folder: Path) -> Handler:
    def answer(request: Request) -> Response:
        seen = Path(os.environ["SEEN"])
        with seen.open("ab") as file:
            file.write(request.body + b"\n")
        time.sleep(float(os.environ.get("SLEEP", "0")))
        if request.body.startswith(b"bad"):
            return Response(400, b"I do not like it", "text/plain")
        if request.body == b"die once" and not (seen.parent / "died").exists():
            (seen.parent / "died").touch()
            os._exit(9)
        if request.body == b"die always":
            os._exit(9)
        return Response(200, request.body, request.accept if "/" in request.accept else request.content_type)

    return answer
