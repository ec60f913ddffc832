"""Certificates of the devices' authority: iot CreateKeysAndCertificate, CreateCertificateFromCsr, ...Certificate(s).

Source: AWS IoT API Reference. A certificate's id is the SHA-256 of its DER form, so that a connection's certificate leads
to its row.
"""

from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.things.names import ATTACHED, CERTIFICATE, EVERYWHERE, invalid, iot_arn, missing
from tobo.store.base import Conflict, Event, Key, Query, Row

STATUSES = ("ACTIVE", "INACTIVE", "REVOKED")


def _resource(call: Call, asked: Asked) -> str:
    return iot_arn(call.space, f"cert/{asked.get('certificateId', '*')}")


@operation("iot", "CreateKeysAndCertificate", resource=_resource)
def create_keys_and_certificate(call: Call, asked: Asked) -> dict[str, Any]:
    """With a key that the server draws and forgets; a device that draws its own sends a CSR instead."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    from tobo.operations.certificates import common_name

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key()
    answer = _issue(call, common_name("tobo device"), public, asked)
    pair = {
        "PublicKey": public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        "PrivateKey": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    }
    return {**answer, "keyPair": pair}


@operation("iot", "CreateCertificateFromCsr", resource=_resource)
def create_certificate_from_csr(call: Call, asked: Asked) -> dict[str, Any]:
    """Raises Fault InvalidRequestException for what is no signing request, one of a weak key, or the server's own name."""
    from cryptography import x509

    from tobo.operations.certificates import PUBLISHER, is_strong

    try:
        request = x509.load_pem_x509_csr(asked["certificateSigningRequest"].encode())
        valid = request.is_signature_valid
        key = request.public_key()
    except Exception:  # what a stranger wrote can fail in many ways
        raise invalid("certificateSigningRequest is not a PEM signing request (PKCS #10).") from None
    if not valid or not is_strong(key):
        raise invalid(
            "The signing request is not signed by its own key, or the key is weak; use RSA of 2048 bits or an elliptic curve."
        )
    if any(part.value == PUBLISHER for part in request.subject):
        raise invalid(f"'{PUBLISHER}' is this server's own name at a broker; give the device another one.")
    return _issue(call, request.subject, key, asked)


@operation("iot", "DescribeCertificate", resource=_resource)
def describe_certificate(call: Call, asked: Asked) -> dict[str, Any]:
    row = certificate_row(call, asked["certificateId"])
    return {
        "certificateDescription": {
            **_summary(row),
            "certificatePem": row.found["certificatePem"],
            "ownedBy": call.space.account,
            "lastModifiedDate": row.modified,
            "validity": row.found["validity"],
        }
    }


@operation("iot", "ListCertificates", resource=_resource)
def list_certificates(call: Call, asked: Asked) -> dict[str, Any]:
    """Oldest first where ascendingOrder says so, else youngest first."""
    limit = asked.get("pageSize") or 25
    ascending = asked.get("ascendingOrder", False)
    rows = call.context.store.page(
        Query(
            EVERYWHERE,
            CERTIFICATE,
            where={"_account": call.space.account, "_region": call.space.region},
            descending=not ascending,
            limit=limit,
            after=_after(call, asked.get("marker")),
        )
    )
    answer: dict[str, Any] = {"certificates": [_summary(row) for row in rows.rows]}
    if rows.after is not None:
        answer["nextMarker"] = rows.rows[-1].key.name
    return answer


@operation("iot", "UpdateCertificate", resource=_resource)
def update_certificate(call: Call, asked: Asked) -> dict[str, Any]:
    """ACTIVE, INACTIVE or REVOKED, from now on; a revoked one stays so.

    Credentials that its device has already got live on until they expire, within the hour.
    """
    status = asked["newStatus"]
    if status not in STATUSES:
        raise invalid(f"newStatus {status} is not built in tobo; use one of {', '.join(STATUSES)}.")
    while True:
        row = certificate_row(call, asked["certificateId"])
        if row.status == "REVOKED" and status != "REVOKED":
            raise Fault("CertificateStateException", "A revoked certificate stays revoked; make a new one.", 406)
        try:
            event = Event(call.now, "updated", status)
            call.context.store.update(row, event, status=status, state=status, modified=call.now)
        except Conflict:
            continue
        return {}


@operation("iot", "DeleteCertificate", resource=_resource)
def delete_certificate(call: Call, asked: Asked) -> dict[str, Any]:
    """Raises Fault CertificateStateException while it is ACTIVE, DeleteConflictException while a thing has it."""
    while True:
        row = certificate_row(call, asked["certificateId"])
        if row.status == "ACTIVE":
            raise Fault("CertificateStateException", "The certificate is ACTIVE; make it INACTIVE first.", 406)
        if call.context.store.count(Query(call.space, ATTACHED, arn=f"{row.arn}/things")):
            raise Fault("DeleteConflictException", "The certificate is attached to a thing; detach it first.", 409)
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
        return {}


def certificate_row(call: Call, identifier: str) -> Row:
    """Raises Fault ResourceNotFoundException, for another namespace's, too."""
    row = call.context.store.get(Key(EVERYWHERE, CERTIFICATE, identifier.lower()))
    if row is None or (row.found["_account"], row.found["_region"]) != call.space:
        raise missing("certificate", identifier)
    return row


def _issue(call: Call, subject: Any, key: Any, asked: Asked) -> dict[str, Any]:
    from cryptography.hazmat.primitives import hashes

    from tobo.operations.certificates import CLIENT, device_authority, pem

    certificate = device_authority(call.context.settings.state).issue(subject, key, CLIENT)
    identifier = certificate.fingerprint(hashes.SHA256()).hex()
    status = "ACTIVE" if asked.get("setAsActive") else "INACTIVE"
    row = Row(
        key=Key(EVERYWHERE, CERTIFICATE, identifier),
        arn=iot_arn(call.space, f"cert/{identifier}"),
        asked={},
        found={
            "_account": call.space.account,
            "_region": call.space.region,
            "certificatePem": pem(certificate).decode(),
            "validity": {
                "notBefore": certificate.not_valid_before_utc.timestamp(),
                "notAfter": certificate.not_valid_after_utc.timestamp(),
            },
        },
        status=status,
        state=status,
        created=call.now,
        modified=call.now,
    )
    call.context.store.insert(row, Event(call.now, "created", status))
    return {
        "certificateArn": row.arn,
        "certificateId": identifier,
        "certificatePem": row.found["certificatePem"],
    }


def _after(call: Call, marker: str | None) -> tuple[Any, int] | None:
    if marker is None:
        return None
    row = certificate_row(call, marker)
    return row.created, row.id


def _summary(row: Row) -> dict[str, Any]:
    return {
        "certificateArn": row.arn,
        "certificateId": row.key.name,
        "status": row.status,
        "creationDate": row.created,
        "certificateMode": "DEFAULT",
    }
