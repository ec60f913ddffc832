"""A house as a device sees it, small: credentials over mutual TLS, the edge operations, objects; and faults on demand."""

import http.server
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from tests.support.compiled_model import public_pem

from tobo.gateway.signature import check_signature, check_signed_headers, epoch, read_claim
from tobo.kit.sigv4 import signing_key

ACCOUNT, REGION, FLEET, DEVICE, TARGET = "111122223333", "eu-central-1", "line", "line-1", "rasp4b"
OUTPUT = f"s3://fleet/out/{FLEET}/{DEVICE}/"


@dataclass
class Faults:
    """`refuse` is (status, code) for every request; `break_after` bytes a download breaks off; `skew` seconds of the
    house's clock; `lose_answers` does what is asked and hangs up."""

    refuse: tuple[int, str] | None = None
    break_after: int | None = None
    skew: float = 0.0
    lose_answers: bool = False


@dataclass
class House:
    """What it was asked, and what it answers."""

    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    objects: dict[str, bytes] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    wanted: float = 0.0
    ranges: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    secret: str = "secret-1"
    lifetime: float = 3600.0
    bought: int = 0
    endpoint: str = ""
    credentials: str = ""

    @property
    def enrolment(self) -> Path:
        return self.folder / "enrolment"

    def now(self) -> float:
        return time.time() + self.faults.skew

    def deploy(self, name: str, archive: Path, checksum: str, state: str = "DEPLOY") -> None:
        self.objects[f"fleet/{archive.name}"] = archive.read_bytes()
        definition = {
            "ModelHandle": "marbles",
            "S3Url": f"s3://fleet/{archive.name}",
            "Checksum": {"Type": "SHA1", "Sum": checksum},
            "State": state,
        }
        self.deployments = [
            {
                "DeploymentName": name,
                "Type": "Model",
                "FailureHandlingPolicy": "ROLLBACK_ON_FAILURE",
                "Definitions": [definition],
            }
        ]

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        assert (asked["DeviceName"], asked["DeviceFleetName"]) == (DEVICE, FLEET)
        if operation == "GetDeployments":
            return {"Deployments": self.deployments}
        if operation == "GetDeviceRegistration":
            return {"DeviceRegistration": json.dumps({"outputS3Uri": OUTPUT, "signingKeys": [public_pem(self.key)]})}
        if operation == "SendLiveView":
            self.shown.append(asked)
            return {"WantedSeconds": self.wanted}
        assert operation == "SendHeartbeat"
        self.heartbeats.append(asked)
        if told := asked.get("DeploymentResult"):
            self.deployments = [one for one in self.deployments if one["DeploymentName"] != told["DeploymentName"]]
        return {}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    house: House

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(self.house.now(), usegmt=True)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        if self.house.faults.lose_answers:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refused(self) -> bool:
        if self.house.faults.refuse is None:
            return False
        status, code = self.house.faults.refuse
        self.say(status, json.dumps({"__type": code, "Message": "refused on demand"}).encode())
        return True


class _Credentials(_Handler):
    def do_GET(self) -> None:
        house, thing = self.house, self.headers["x-amzn-iot-thingname"]
        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])  # type: ignore[attr-defined]
        if self.refused():
            return
        if subject["commonName"] != thing or self.path != "/role-aliases/device/credentials":
            self.say(403, json.dumps({"Message": "not this device's"}).encode())
            return
        house.bought += 1
        until = datetime.fromtimestamp(house.now() + house.lifetime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = {"accessKeyId": "ASIADEVICE", "secretAccessKey": house.secret, "sessionToken": "t", "expiration": until}
        self.say(200, json.dumps({"credentials": found}).encode())


class _Front(_Handler):
    def body(self) -> bytes | None:
        """The request's body once its signature is checked as the gateway does; None where it was refused."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        claim = read_claim(headers, query)
        if self.refused():
            return None
        if abs(epoch(claim.timestamp) - self.house.now()) > 900:
            self.say(403, b'{"__type": "RequestTimeTooSkewed", "Message": "your clock is wrong"}')
            return None
        key = signing_key(self.house.secret, claim.date, claim.region, claim.service)
        try:
            check_signed_headers(claim, headers)
            check_signature(key, claim, self.command, path, query, headers, headers["x-amz-content-sha256"])
        except Exception:
            self.say(403, b'{"__type": "InvalidClientTokenId", "Message": "the signature does not match"}')
            return None
        return body

    def do_POST(self) -> None:
        if (body := self.body()) is not None:
            self.say(200, json.dumps(self.house.answer(self.path[1:], json.loads(body))).encode())

    def do_PUT(self) -> None:
        if (body := self.body()) is not None:
            key = unquote(self.path[1:])
            self.house.objects[key] = body
            self.house.puts.append(key)
            self.say(200)

    def do_GET(self) -> None:
        if self.body() is None:
            return
        data = self.house.objects.get(unquote(self.path[1:]))
        if data is None:
            self.say(404, b"<Error><Code>NoSuchKey</Code><Message>There is no such object.</Message></Error>")
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        start = int(asked[1]) if asked else 0
        self.house.ranges.append(self.headers.get("range", ""))
        if asked and start >= len(data):
            self.say(416)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = len(data) if self.house.faults.break_after is None else start + self.house.faults.break_after
        self.wfile.write(data[start:end])
        self.close_connection = end < len(data)


def certificate(
    name: str,
    by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
    begins_in: timedelta = timedelta(-1),
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate of `name` by an authority, or an authority's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime.now(UTC) + begins_in
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=60))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return builder.sign(by[1] if by else key, hashes.SHA256()), key


def write_certificate(folder: Path, stem: str, made: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]) -> None:
    (folder / f"{stem}.pem").write_bytes(made[0].public_bytes(serialization.Encoding.PEM))
    (folder / f"{stem}.key").write_bytes(
        made[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@contextmanager
def house(folder: Path, device_by: Any = None, begins_in: timedelta = timedelta(-1)) -> Iterator[House]:
    """A house that has enrolled line-1. `device_by` is another authority for its certificate, `begins_in` when all begin."""
    made = House(folder)
    made.enrolment.mkdir(parents=True)
    authority = certificate("authority", begins_in=begins_in)
    write_certificate(folder, "authority", authority)
    write_certificate(folder, "server", certificate("localhost", authority, begins_in))
    write_certificate(made.enrolment, "device", certificate(DEVICE, device_by or authority, begins_in))
    (made.enrolment / "authority.pem").write_bytes((folder / "authority.pem").read_bytes())
    (made.enrolment / "signing.pem").write_text(public_pem(made.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags(0x200000)  # of the dates, the device's own view is under test
    servers = []
    for handler in (_Front, _Credentials):
        bound = type(handler.__name__, (handler,), {"house": made})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), bound)
        server.daemon_threads = True
        servers.append(server)
    servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True, do_handshake_on_connect=False)
    servers[1].handle_error = lambda *_: None  # type: ignore[method-assign]
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    made.endpoint = f"http://127.0.0.1:{servers[0].server_port}"
    made.credentials = f"https://localhost:{servers[1].server_port}/role-aliases/device/credentials"
    described = {
        "format": 1,
        "account": ACCOUNT,
        "region": REGION,
        "fleet": FLEET,
        "device": DEVICE,
        "target": TARGET,
        "endpoint": made.endpoint,
        "credentials": made.credentials,
        "thing": DEVICE,
        "mqtt": None,
    }
    (made.enrolment / "device.json").write_text(json.dumps(described))
    try:
        yield made
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
