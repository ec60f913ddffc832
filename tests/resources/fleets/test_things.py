"""The part of AWS IoT that is built, through boto3: things, certificates, role aliases, endpoints, refusals."""

import ssl
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.conftest import Server
from tests.support.device import ask_credentials, private_pem, signing_request, tls_address
from tests.support.fleets import ROLE, client


@pytest.fixture
def iot(fleet_server: Server) -> Any:
    return client(fleet_server, "iot", "eu-central-1")


def new_name() -> str:
    return f"thing-{uuid.uuid4().hex[:8]}"


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_thing_is_made_described_listed_and_deleted(iot: Any) -> None:
    name = new_name()
    made = iot.create_thing(thingName=name, attributePayload={"attributes": {"belt": "1"}})
    assert made["thingArn"].endswith(f":thing/{name}")
    assert (
        iot.create_thing(thingName=name, attributePayload={"attributes": {"belt": "1"}})["thingId"] == made["thingId"]
    )
    with pytest.raises(iot.exceptions.ResourceAlreadyExistsException):
        iot.create_thing(thingName=name)
    assert iot.describe_thing(thingName=name)["attributes"] == {"belt": "1"}
    iot.create_thing(thingName=f"{name}-2")
    pages = iot.get_paginator("list_things").paginate(PaginationConfig={"PageSize": 1})
    names = [thing["thingName"] for page in pages for thing in page["things"]]
    assert names == sorted(names) and {name, f"{name}-2"} <= set(names)
    for _ in range(2):
        iot.delete_thing(thingName=name)
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_thing(thingName=name)


def test_keys_and_certificate(iot: Any) -> None:
    made = iot.create_keys_and_certificate(setAsActive=True)
    certificate = x509.load_pem_x509_certificate(made["certificatePem"].encode())
    assert "PRIVATE KEY" in made["keyPair"]["PrivateKey"] and "PUBLIC KEY" in made["keyPair"]["PublicKey"]
    described = iot.describe_certificate(certificateId=made["certificateId"])["certificateDescription"]
    assert (described["status"], described["certificatePem"]) == ("ACTIVE", made["certificatePem"])
    assert described["validity"]["notAfter"] == certificate.not_valid_after_utc
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca


def test_certificates_are_inactive_unless_asked_otherwise_and_listed_by_region(iot: Any, fleet_server: Server) -> None:
    request = signing_request(ec.generate_private_key(ec.SECP256R1()), "cam-1")
    made = [iot.create_certificate_from_csr(certificateSigningRequest=request)["certificateId"] for _ in range(3)]
    pages = iot.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 2}, ascendingOrder=True)
    found = {one["certificateId"]: one["status"] for page in pages for one in page["certificates"]}
    assert [found[identifier] for identifier in made] == ["INACTIVE"] * 3
    elsewhere = client(fleet_server, "iot", "us-west-1")
    assert elsewhere.list_certificates()["certificates"] == []
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
        elsewhere.describe_certificate(certificateId=made[0])


def test_a_certificate_is_deleted_only_when_nobody_needs_it(iot: Any) -> None:
    name, made = new_name(), iot.create_keys_and_certificate(setAsActive=True)
    iot.create_thing(thingName=name)
    for _ in range(2):
        iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
    with pytest.raises(iot.exceptions.InvalidRequestException):
        iot.delete_thing(thingName=name)
    with pytest.raises(iot.exceptions.CertificateStateException):
        iot.delete_certificate(certificateId=made["certificateId"])
    iot.update_certificate(certificateId=made["certificateId"], newStatus="INACTIVE")
    with pytest.raises(iot.exceptions.DeleteConflictException):
        iot.delete_certificate(certificateId=made["certificateId"])
    for _ in range(2):
        iot.detach_thing_principal(thingName=name, principal=made["certificateArn"])
    iot.delete_certificate(certificateId=made["certificateId"])
    iot.delete_thing(thingName=name)
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_certificate(certificateId=made["certificateId"])


def _weak() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _tampered() -> str:
    request = signing_request(ec.generate_private_key(ec.SECP256R1()), "cam-1")
    lines = request.splitlines()
    flipped = "B" if lines[-2][5] == "A" else "A"
    return "\n".join([*lines[:-2], lines[-2][:5] + flipped + lines[-2][6:], lines[-1]]) + "\n"


@pytest.mark.parametrize(
    ("request_text", "said"),
    [
        ("no request", "is not a PEM signing request"),
        (_weak(), "the key is weak"),
        (_tampered(), "sign"),
        (signing_request(ec.generate_private_key(ec.SECP256R1()), "tobo"), "this server's own name"),
    ],
    ids=["nothing", "weak", "tampered", "reserved"],
)
def test_signing_requests_that_are_refused(iot: Any, request_text: str, said: str) -> None:
    with pytest.raises(iot.exceptions.InvalidRequestException, match=said):
        iot.create_certificate_from_csr(certificateSigningRequest=request_text)


@pytest.mark.parametrize(
    ("operation", "members", "expected"),
    [
        ("create_thing", {"thingName": "x", "thingTypeName": "camera"}, "InvalidRequestException"),
        ("list_things", {"attributeName": "belt"}, "InvalidRequestException"),
        ("describe_thing", {"thingName": "nothing"}, "ResourceNotFoundException"),
        (
            "attach_thing_principal",
            {"thingName": "nothing", "principal": "arn:aws:iot:r:1:cert/a"},
            "ResourceNotFoundException",
        ),
        ("update_certificate", {"certificateId": "0" * 64, "newStatus": "ACTIVE"}, "ResourceNotFoundException"),
        ("describe_endpoint", {"endpointType": "iot:Jobs"}, "InvalidRequestException"),
        ("describe_endpoint", {"endpointType": "iot:Data-ATS"}, "InvalidRequestException"),
        ("describe_role_alias", {"roleAlias": "nothing"}, "ResourceNotFoundException"),
        ("delete_role_alias", {"roleAlias": "nothing"}, "ResourceNotFoundException"),
    ],
)
def test_what_is_refused(iot: Any, operation: str, members: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(iot, operation)(**members)
    assert code(refused) == expected


def test_role_aliases(iot: Any) -> None:
    name = f"alias-{uuid.uuid4().hex[:8]}"
    iot.create_role_alias(roleAlias=name, roleArn=ROLE, credentialDurationSeconds=900)
    with pytest.raises(iot.exceptions.ResourceAlreadyExistsException):
        iot.create_role_alias(roleAlias=name, roleArn=ROLE)
    other = ROLE.replace("any", "other")
    iot.update_role_alias(roleAlias=name, roleArn=other)
    described = iot.describe_role_alias(roleAlias=name)["roleAliasDescription"]
    assert (described["roleArn"], described["credentialDurationSeconds"]) == (other, 900)
    assert name in iot.list_role_aliases()["roleAliases"]
    iot.delete_role_alias(roleAlias=name)
    assert name not in iot.list_role_aliases()["roleAliases"]


def test_the_credential_providers_endpoint_is_the_tls_port(iot: Any, fleet_server: Server) -> None:
    assert iot.describe_endpoint(endpointType="iot:CredentialProvider")["endpointAddress"] == tls_address(fleet_server)


def test_a_device_certificate_is_no_servers_certificate(iot: Any, fleet_server: Server, tmp_path: Any) -> None:
    """Nobody with a device's certificate can play the TLS server: its authority and its purpose are other ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = iot.create_certificate_from_csr(
        certificateSigningRequest=signing_request(key, "127.0.0.1"), setAsActive=True
    )
    (tmp_path / "d.pem").write_text(made["certificatePem"])
    (tmp_path / "d.key").write_bytes(private_pem(key))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "d.pem", tmp_path / "d.key")
    trust = ssl.create_default_context(cafile=str(fleet_server.state / "edge" / "authority.pem"))
    trust.check_hostname = False
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(served, trust)
    # and without a thing that it is attached to it is worth nothing as a client's
    assert ask_credentials(fleet_server, "SageMakerEdge-x", "x", (tmp_path / "d.pem", tmp_path / "d.key"))[0] == 403


def _shake_hands(served: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A TLS handshake in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, user = served.wrap_bio(up, down, server_side=True), trust.wrap_bio(down, up)
    for _ in range(4):
        for side in (user, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
