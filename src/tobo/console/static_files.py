"""Static files: read once, compressed once, cached by browsers for good because their address names their content."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from tobo.console import ROOT

JOINED = {
    "frame.css": (
        "tokens.css",
        "console.css",
        "vendor/uPlot.min.css",
        "elements/evaluation.css",
        "elements/parallel-coords.css",
    ),
    "vendor/frame.js": ("vendor/htmx.min.js", "vendor/idiomorph.min.js"),
}
"""What every page needs, one after the other as one file: each request costs a page more than its bytes do."""

FRAME = "console.js"
MODULES = ("words.js", "requests.js", "refusals.js", "forms.js", "live.js", FRAME)
"""What every page's script is made of, served as one module under the last one's name; the elements import it, too."""

_IMPORT = re.compile(rb'^import (?:\{[^}]*\} from )?"\./(?:[a-z]+\.js)";\n', re.MULTILINE)
_SHARED = re.compile(rb'(?<=from "\.\./)(?:words|requests|refusals|forms|live)\.js(?=")')

OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Nobody's secret; and a task's frame, which has an origin of its own, loads them as from somewhere else."""

SMALL = 512
"""Bytes below which compressing gains nothing."""


@dataclass(frozen=True)
class StaticFile:
    body: bytes
    packed: bytes
    kind: str


class StaticFolder:
    """The console's scripts, styles and pictures. One version for all: modules find each other by relative addresses."""

    def __init__(self) -> None:
        self._files = dict(_read(files("tobo.console") / "static", ""))
        for name, parts in JOINED.items():
            self._files[name] = _static(name, b"\n".join(self._files[part].body for part in parts))
        self._files[FRAME] = _static(FRAME, b"\n".join(_IMPORT.sub(b"", self._files[part].body) for part in MODULES))
        for name, file in self._files.items():
            if name.startswith("elements/") and name.endswith(".js"):
                self._files[name] = _static(name, _SHARED.sub(FRAME.encode(), file.body))
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + self._files[name].body)
        self._version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        if name not in self._files:
            raise KeyError(name)
        return f"{ROOT}/static/{self._version}/{name}"

    async def serve(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        current = request.path_params["version"] == self._version
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
            "Vary": "Accept-Encoding",
            **OPEN,
        }
        if "gzip" in request.headers.get("accept-encoding", "") and len(found.packed) < len(found.body):
            return Response(found.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.kind)
        return Response(found.body, headers=headers, media_type=found.kind)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            found += _read(entry, f"{name}/")
        else:
            found.append((name, _static(name, entry.read_bytes())))
    return found


def _static(name: str, body: bytes) -> StaticFile:
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "text/plain"
    return StaticFile(body, body if len(body) < SMALL else gzip.compress(body, 6, mtime=0), kind)
