"""A device of a fleet with a certificate of its own, as it asks for credentials and uses them."""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conftest import Server
from tests.support.fleets import ROLE, Fleet, client


@dataclass
class Device:
    """`identifier` and `arn` are its certificate's."""

    fleet: Fleet
    name: str
    thing: str
    certificate: Path
    key: Path
    identifier: str
    arn: str

    @property
    def alias(self) -> str:
        return f"SageMakerEdge-{self.fleet.name}"

    def ask(self, thing: str | None = None, alias: str | None = None) -> tuple[int, Any]:
        """(status, answer) of the credentials' address."""
        return ask_credentials(
            self.fleet.server, alias or self.alias, thing or self.thing, (self.certificate, self.key)
        )

    def client(self, service: str) -> Any:
        """A boto3 client with the device's credentials."""
        status, answer = self.ask()
        assert status == 200, answer
        found = answer["credentials"]
        return client(
            self.fleet.server,
            service,
            self.fleet.region,
            aws_access_key_id=found["accessKeyId"],
            aws_secret_access_key=found["secretAccessKey"],
            aws_session_token=found["sessionToken"],
        )


def enable_alias(fleet: Fleet) -> None:
    """Gives the fleet the role alias that its devices name."""
    fleet.sagemaker.update_device_fleet(
        DeviceFleetName=fleet.name,
        RoleArn=ROLE,
        OutputConfig={"S3OutputLocation": f"s3://{fleet.bucket}/home"},
        EnableIotRoleAlias=True,
    )


def make_device(fleet: Fleet, name: str, folder: Path) -> Device:
    """Registers it as a thing with an active certificate, by AWS IoT's operations."""
    iot, thing = fleet.iot, f"{fleet.name}:{name}"
    key = ec.generate_private_key(ec.SECP256R1())
    made = iot.create_certificate_from_csr(certificateSigningRequest=signing_request(key, name), setAsActive=True)
    iot.create_thing(thingName=thing)
    iot.attach_thing_principal(thingName=thing, principal=made["certificateArn"])
    fleet.sagemaker.register_devices(DeviceFleetName=fleet.name, Devices=[{"DeviceName": name, "IotThingName": thing}])
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_text(made["certificatePem"])
    files[1].write_bytes(private_pem(key))
    return Device(fleet, name, thing, *files, made["certificateId"], made["certificateArn"])


def signing_request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def ask_credentials(server: Server, alias: str, thing: str, shown: tuple[Path, Path] | None) -> tuple[int, Any]:
    """(status, answer) over TLS with the certificate and key that are `shown`; raises OSError where TLS itself refuses."""
    host, _, port = tls_address(server).rpartition(":")
    trust = ssl.create_default_context(cafile=str(server.state / "tls" / "authority.pem"))
    if shown is not None:
        trust.load_cert_chain(*shown)
    connection = http.client.HTTPSConnection(host, int(port), context=trust, timeout=10)
    try:
        connection.request("GET", f"/role-aliases/{alias}/credentials", headers={"x-amzn-iot-thingname": thing})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def tls_address(server: Server) -> str:
    return str(json.loads((server.state / "server.json").read_text())["tls_endpoint"]).removeprefix("https://")
