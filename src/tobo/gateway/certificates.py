"""The TLS port's certificate: a local authority that signs once and forgets its key, so that nobody can misuse it."""

import ipaddress
import socket

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tobo.gateway.tls import TlsFiles
from tobo.operations.certificates import SERVER, common_name, new_authority, pem, private_pem
from tobo.operations.signing import replace_file


def ensure_certificate(files: TlsFiles, host: str) -> None:
    """Makes authority and certificate for this machine's own names and `host`, unless they are there."""
    if files.certificate.exists() and files.key.exists() and files.authority.exists():
        return
    files.folder.mkdir(exist_ok=True, mode=0o700)
    authority = new_authority("tobo local authority")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(common_name("tobo"), key.public_key(), SERVER, server_names(host))
    replace_file(files.key, private_pem(key), 0o600)
    replace_file(files.certificate, pem(certificate), 0o644)
    replace_file(files.authority, pem(authority.certificate), 0o644)


def server_names(host: str) -> list[x509.GeneralName]:
    """What a server that listens on `host` is called: this machine, and of all addresses those that it says it has."""
    names = ["localhost", "127.0.0.1", "::1", *(_own_names() if host in ("0.0.0.0", "::") else [host])]
    found: dict[x509.GeneralName, None] = {}
    for name in names:
        try:
            found[x509.IPAddress(ipaddress.ip_address(name))] = None
        except ValueError:
            found[x509.DNSName(name)] = None
    return list(found)


def _own_names() -> list[str]:
    """The machine's name, as such and as mDNS tells it in the house, and the addresses that it stands for."""
    name = socket.gethostname()
    try:
        addresses = sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None)})
    except OSError:
        addresses = []
    return [name, f"{name.partition('.')[0]}.local", *(address for address in addresses if "%" not in address)]
