"""Certificates: drafts of authorities and leaves, and the authority of the devices, whose key stays in the state folder.

Whoever has a certificate of the devices' authority may open a TLS connection as a device; what it may do then hangs on
the certificate's row (resources/things). Imported late: cryptography costs 50 ms, which most starts can do without.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tobo.operations.signing import locked, replace_file

VALID_DAYS = 3650

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Authority:
    """A certificate that signs others, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def issue(
        self,
        subject: x509.Name,
        public_key: CertificatePublicKeyTypes,
        purpose: x509.ObjectIdentifier,
        names: list[x509.GeneralName] | None = None,
    ) -> x509.Certificate:
        """A certificate for one purpose, SERVER or CLIENT; `names` are what a server is called."""
        builder = (
            draft(subject, self.certificate.subject, public_key, self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def new_authority(name: str) -> Authority:
    """An authority that may sign leaves and no other authority."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), common_name(name)
    certificate = (
        draft(subject, subject, key.public_key(), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def device_authority(state: Path) -> Authority:
    """That of the devices, made at first use: <state>/edge/authority.pem, and authority.key (0600)."""
    with locked(state / "edge") as folder:
        if not authority_file(state).exists():
            made = new_authority("tobo devices")
            replace_file(folder / "authority.key", private_pem(made.key), 0o600)
            replace_file(authority_file(state), pem(made.certificate), 0o644)
    key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Authority(x509.load_pem_x509_certificate(authority_file(state).read_bytes()), key)


PUBLISHER = "tobo"
"""The name that this server has at a broker. No device may be called so."""


def publisher_files(state: Path) -> tuple[Path, Path]:
    """Certificate and key (0600) that this server shows to a broker; made at first use."""
    certificate, key = state / "edge" / "publisher.pem", state / "edge" / "publisher.key"
    authority = device_authority(state)
    with locked(state / "edge"):
        if not certificate.exists():
            drawn = ec.generate_private_key(ec.SECP256R1())
            issued = authority.issue(common_name(PUBLISHER), drawn.public_key(), CLIENT)
            replace_file(key, private_pem(drawn), 0o600)
            replace_file(certificate, pem(issued), 0o644)
    return certificate, key


def authority_file(state: Path) -> Path:
    """The certificate of the devices' authority."""
    return state / "edge" / "authority.pem"


def common_name(name: str) -> x509.Name:
    """A subject that is nothing but a name; X.509 allows 64 characters."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def is_strong(key: object) -> bool:
    """Whether a certificate for this public key is worth something: RSA of 2048 bits or more, an elliptic curve."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.key_size >= 256
    return isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def draft(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    """What all certificates have: names, key, a number, ten years, and how to find the issuer's key."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
