"""The device's way home: credentials for its certificate, the three edge operations, objects to fetch and to leave.

No network is normal: whatever does not come through raises Offline, which is an OSError, and is tried again later by
who asked. A refusal raises Denied. Nothing here waits longer than its time-out.
"""

import contextlib
import email.utils
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from tobo.edge.enrolment import Enrolment
from tobo.edge.signing import Credentials, sign
from tobo.kit.s3_uri import parse_s3_uri

TIMEOUT = 20.0
"""Seconds without a byte."""
_BLOCK = 64 << 10
_RENEW_BEFORE = 300
"""Credentials are renewed so many seconds before they expire."""
_NO_CHECK_TIME, _NOT_YET_VALID = 0x200000, 9
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME and X509_V_ERR_CERT_NOT_YET_VALID."""

_STALE = ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException")  # fmt: skip
"""What S3 and the JSON services say of credentials that are no longer any."""
_SKEWED = ("RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch")
"""What they say of a time that is too far from theirs, among other things."""


class Offline(OSError):
    """The house cannot be reached or is busy; try again later."""


class Denied(Exception):
    """The house refuses: `code` is its error code, the message its sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class NotYetValid(Denied):
    """By our clock, the house's certificate begins in the future."""


@dataclass(frozen=True)
class Answer:
    """`body` is read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Home(Protocol):
    """What updater, outbox and heartbeat need of the house."""

    def now(self) -> float:
        """Epoch seconds as the house counts them."""
        ...

    def ask(self, operation: str, **members: Any) -> dict[str, Any]:
        """One of sagemaker-edge's operations for this device. Raises Offline, Denied."""
        ...

    def fetch(self, uri: str, offset: int) -> Iterator[bytes]:
        """The bytes of an object from `offset` on. Raises Offline, Denied."""
        ...

    def put(self, uri: str, body: bytes, content_type: str) -> None:
        """Stores an object. Raises Offline, Denied."""
        ...


class Cloud:
    """A house over HTTP(S); may be used by several threads."""

    def __init__(self, enrolment: Enrolment, wall: Callable[[], float] = time.time, timeout: float = TIMEOUT) -> None:
        """`wall` is the machine's clock, which is believed only until the house has told its own."""
        self._enrolment, self._wall, self._timeout = enrolment, wall, timeout
        self._told: tuple[float, float] | None = None
        self._behind = False
        self._credentials: Credentials | None = None
        self._lock = threading.Lock()

    def now(self) -> float:
        told = self._told
        return self._wall() if told is None else told[0] + time.monotonic() - told[1]

    def ask(self, operation: str, **members: Any) -> dict[str, Any]:
        body = json.dumps(
            {"DeviceName": self._enrolment.device, "DeviceFleetName": self._enrolment.fleet, **members}
        ).encode()
        url = f"{self._enrolment.endpoint}/{operation}"
        answer = self._signed("sagemaker", "POST", url, body, {"content-type": "application/json"})
        try:
            found = json.loads(answer.body or b"{}")
        except ValueError:
            raise Offline(f"{url} answered something that is no JSON.") from None
        return found if isinstance(found, dict) else {}

    def fetch(self, uri: str, offset: int) -> Iterator[bytes]:
        url, wanted = self._address(uri), {"range": f"bytes={offset}-"} if offset else {}
        with _Exchange(url, self._context(url), self._timeout) as exchange:
            answer = exchange.send("GET", self._headers("s3", "GET", url, b"", wanted), b"")
            self._learn_time(answer)
            if answer.status == 416:  # nothing is left to be fetched
                return
            if answer.status not in (200, 206):
                refusal = _refusal(url, _whole(answer, answer.read()))
                self._mended(refusal)
                raise refusal
            if offset and answer.status == 200:
                _skip(answer, offset)
            yield from exchange.blocks(answer)

    def put(self, uri: str, body: bytes, content_type: str) -> None:
        self._signed("s3", "PUT", self._address(uri), body, {"content-type": content_type})

    def credentials(self) -> Credentials:
        """Bought with the device's certificate, and kept until they are about to expire. Raises Offline, Denied."""
        with self._lock:
            kept = self._credentials
            if kept is None or self.now() > kept.expires - _RENEW_BEFORE:
                kept = self._credentials = self._buy()
            return kept

    def _buy(self) -> Credentials:
        url, headers = self._enrolment.credentials, {"x-amzn-iot-thingname": self._enrolment.thing}
        try:
            answer = self._send("GET", url, headers, b"")
        except NotYetValid:
            # The house's certificate is older than today, so our clock is behind, and no dates can be judged by it.
            self._behind = True
            answer = self._send("GET", url, headers, b"")
        if answer.status != 200:
            raise _refusal(url, answer)
        try:
            found = json.loads(answer.body)["credentials"]
            expires = datetime.fromisoformat(found["expiration"]).timestamp()
            return Credentials(found["accessKeyId"], found["secretAccessKey"], found["sessionToken"], expires)
        except (ValueError, KeyError, TypeError) as error:
            raise Offline(f"{url} answered something that is no credentials ({error}).") from None

    def _signed(self, service: str, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Once more where our clock or our credentials were the reason."""
        for last in (False, True):
            answer = self._send(method, url, self._headers(service, method, url, body, headers), body)
            if answer.status < 300:
                return answer
            if last or not self._mended(_refusal(url, answer)):
                raise _refusal(url, answer)
        raise AssertionError("the second answer is the last")

    def _mended(self, refusal: Exception) -> bool:
        """Whether it is worth asking once more: with other credentials, or with the time that the answer has told."""
        code = refusal.code if isinstance(refusal, Denied) else ""
        if code in _STALE:
            with self._lock:
                self._credentials = None
        return code in _STALE or code in _SKEWED

    def _headers(self, service: str, method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        credentials = self.credentials()
        return sign(credentials, service, self._enrolment.region, self.now(), method, url, body, headers)

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        with _Exchange(url, self._context(url), self._timeout) as exchange:
            answer = exchange.send(method, headers, body)
            self._learn_time(answer)
            return _whole(answer, b"".join(exchange.blocks(answer)))

    def _learn_time(self, answer: http.client.HTTPResponse) -> None:
        """A clock without a battery wakes up in the past, and jumps when it is set; the house's does not (RFC 9110, Date)."""
        with contextlib.suppress(TypeError, ValueError):
            told = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
            self._told = told, time.monotonic()

    def _address(self, uri: str) -> str:
        bucket, key = parse_s3_uri(uri, "S3Url")
        return f"{self._enrolment.endpoint}/{bucket}/{quote(key, safe='/-_.~')}"

    def _context(self, url: str) -> ssl.SSLContext | None:
        """Trusts the house's authority alone, and shows the device's certificate."""
        if urlsplit(url).scheme != "https":
            return None
        try:
            context = ssl.create_default_context(cafile=str(self._enrolment.authority))
            context.load_cert_chain(self._enrolment.certificate, self._enrolment.key)
        except (OSError, ssl.SSLError) as error:
            raise Denied(
                "BadCertificate", f"'{self._enrolment.folder}' has an unusable certificate ({error})."
            ) from None
        if self._behind:
            context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        return context


class _Exchange:
    """One request and its answer on a connection of its own; every error of the line is Offline."""

    def __init__(self, url: str, context: ssl.SSLContext | None, timeout: float) -> None:
        parts = urlsplit(url)
        self._target = parts.path + (f"?{parts.query}" if parts.query else "")
        self._url = url
        kind = http.client.HTTPConnection if context is None else http.client.HTTPSConnection
        options: dict[str, Any] = {} if context is None else {"context": context}
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout, **options)

    def __enter__(self) -> "_Exchange":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, method: str, headers: Mapping[str, str], body: bytes) -> http.client.HTTPResponse:
        try:
            self._connection.request(method, self._target, body=body or None, headers=dict(headers))
            return self._connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            kind = NotYetValid if error.verify_code == _NOT_YET_VALID else Denied
            raise kind("UntrustedServer", f"{self._url} is not who it has to be ({error.verify_message}).") from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise Offline(f"{self._url} hung up ({error}).") from None
        except ssl.SSLError as error:
            raise Denied(
                "CertificateRefused", f"{self._url} does not accept the device's certificate ({error})."
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise Offline(f"{self._url} cannot be reached ({error or type(error).__name__}).") from None

    def blocks(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        """The body as it comes; raises Offline where it ends too early."""
        try:
            while block := answer.read(_BLOCK):
                yield block
            if answer.length:
                raise Offline(f"{self._url} broke off {answer.length} bytes before the end.")
        except (OSError, http.client.HTTPException) as error:
            raise error if isinstance(error, Offline) else Offline(f"{self._url} broke off ({error}).") from None


def _whole(answer: http.client.HTTPResponse, body: bytes) -> Answer:
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)


def _skip(answer: http.client.HTTPResponse, offset: int) -> None:
    """For a server that does not know ranges."""
    while offset > 0 and (block := answer.read(min(offset, _BLOCK))):
        offset -= len(block)


def _refusal(url: str, answer: Answer) -> Exception:
    """Denied where asking again would not help, else Offline."""
    if answer.status >= 500 or answer.status in (408, 429):
        return Offline(f"{url} answered {answer.status}.")
    text = answer.body.decode("utf-8", "replace")
    code = answer.headers.get("x-amzn-errortype", "").split(":")[0]
    message = text[:300]
    try:
        found = json.loads(text)
        code = code or str(found.get("__type") or found.get("code") or "")
        message = str(found.get("Message") or found.get("message") or message)
    except (ValueError, AttributeError):
        code = code or _between(text, "Code")
        message = _between(text, "Message") or message
    return Denied(code or str(answer.status), message)


def _between(text: str, tag: str) -> str:
    """The content of an element of S3's flat error documents."""
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
