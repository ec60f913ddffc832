"""RTSP streams: opened for the newest frame, dated by the sender's clock, and asked by hand why they cannot be opened.

Sources: RFC 2326 (RTSP 1.0), RFC 2617 (Basic and Digest authentication).
"""

import base64
import hashlib
import math
import os
import re
import socket
import ssl
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

SCHEMES = ("rtsp://", "rtsps://")
_PORTS = {"rtsp": 554, "rtsps": 322}

_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
"""FFmpeg's: without nobuffer the frames of the second that it takes to look at the stream come first, all a second old."""
_OPEN_TIMEOUT, _READ_TIMEOUT = 5000, 2000
"""Milliseconds; OpenCV's own are 30 s, in which a camera that is back would not be seen."""

_FATAL, _ERROR = "8", 2
"""FFmpeg's level and OpenCV's: a camera that is off is one sentence of ours, not two lines a second in the journal."""

_PATIENCE = 2.0
"""Seconds that a camera has to say why."""
_WINDOW = 10.0
"""Seconds after which the quickest frame is looked for anew: two crystals part by a millisecond in that time."""


def is_stream(source: int | str) -> bool:
    return isinstance(source, str) and source.lower().startswith(SCHEMES)


def shown(source: int | str) -> str:
    """The source without what it holds of a user and a password."""
    return re.sub(r"(?<=://).*@", "", source) if isinstance(source, str) and is_stream(source) else str(source)


def open_stream(cv2: Any, address: str) -> Any:
    """A cv2.VideoCapture, opened or not. An administrator's OPENCV_FFMPEG_CAPTURE_OPTIONS come first."""
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _OPTIONS)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _FATAL)
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(_ERROR)
    asked = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT]
    if hasattr(cv2, "CAP_PROP_N_THREADS"):
        asked += [cv2.CAP_PROP_N_THREADS, 1]  # each more holds a frame back
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, asked)


class Arrivals:
    """Dates frames by what the sender says of them, so that one that was held up on its way is not taken for new.

    A frame's way takes at least what the quickest of the last seconds took: it is as much older as it took longer.
    """

    def __init__(self) -> None:
        self._said = -math.inf
        self._window = -math.inf
        self._quickest = self._before = math.inf

    def date(self, now: float, said: float) -> float:
        """When the frame read at `now` was sent, had it come as quickly as the quickest; `said` is its own time, s.

        A sender whose times stand still or go back says nothing: `now`.
        """
        stands, self._said = said <= self._said, said
        if stands:
            return now
        if now - self._window > _WINDOW:
            self._window, self._before, self._quickest = now, self._quickest, math.inf
        self._quickest = min(self._quickest, now - said)
        return said + min(self._quickest, self._before)


def why_not(address: str) -> str:
    """The sentence with the mend, without a password, for an address that could not be opened."""
    camera = f"The camera '{shown(address)}'"
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        return f"{camera} is no address; it looks like rtsp://user:password@host:554/path."
    host = parts.hostname or ""
    try:
        with socket.create_connection((host, port), _PATIENCE) as plain, _secured(parts, plain) as line:
            status, head = _describe(line, parts, "")
            if status == 401 and parts.username is not None:
                status, head = _describe(line, parts, _credentials(parts, head))
    except socket.gaierror:
        return f"{camera} is not found: there is no host '{host}'; correct the address."
    except TimeoutError:
        return f"{camera} does not answer at port {port}; look at its power, its network and its address."
    except OSError as error:
        told = error.strerror or str(error)
        return f"{camera} cannot be reached ({told}); look at its power, its network and its address."
    if status == 401 and parts.username is None:
        return f"{camera} asks for a user and a password; write rtsp://user:password@... as its source."
    if status in (401, 403):
        return f"{camera} refuses the user or the password; correct them in its source."
    if status == 404:
        return f"{camera} has no stream at '{parts.path}'; correct the path."
    if status == 200:
        return f"{camera} answers, but its stream cannot be read; set it to H.264 or MJPEG."
    return f"{camera} answers {status or 'something that is not RTSP'}; look at its address and at its own pages."


def _secured(parts: SplitResult, line: socket.socket) -> socket.socket:
    """Cameras sign their certificates themselves; FFmpeg does not check them either."""
    if parts.scheme != "rtsps":
        return line
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(line, server_hostname=parts.hostname)


def _describe(line: socket.socket, parts: SplitResult, authorization: str) -> tuple[int, str]:
    """Status (0: not RTSP) and head of the answer to DESCRIBE."""
    said = f"Authorization: {authorization}\r\n" if authorization else ""
    sequence = 2 if authorization else 1
    request = f"DESCRIBE {_asked(parts)} RTSP/1.0\r\nCSeq: {sequence}\r\nAccept: application/sdp\r\n{said}\r\n"
    line.sendall(request.encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < 1 << 16:
        piece = line.recv(4096)
        if not piece:
            break
        answer += piece
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    status = re.match(r"RTSP/\d\.\d (\d{3})", head)
    return int(status[1]) if status else 0, head


def _asked(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _credentials(parts: SplitResult, head: str) -> str:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    digest = re.search(r"^WWW-Authenticate: *Digest (.*)$", head, re.IGNORECASE | re.MULTILINE)
    if digest is None:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    asked = dict(re.findall(r'(\w+)="([^"]*)"', digest[1]))
    realm, nonce, where = asked.get("realm", ""), asked.get("nonce", ""), _asked(parts)
    response = _md5(f"{_md5(f'{user}:{realm}:{password}')}:{nonce}:{_md5(f'DESCRIBE:{where}')}")
    return f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{where}", response="{response}"'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
