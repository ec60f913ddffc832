"""mosquitto's files: a broker at which each device reads its own topic and this server alone writes.

Source: mosquitto.conf(5). A client's name is its certificate's, which is `<fleet>/<device>` for an enrolled device.
"""

import getpass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from tobo.gateway.certificates import server_names
from tobo.operations.certificates import PUBLISHER, SERVER, common_name, device_authority, pem, private_pem
from tobo.operations.signing import replace_file

_CONFIGURATION = """\
user {user}
listener {port}
cafile {folder}/authority.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file {folder}/acl
"""

_ACL = """\
user {publisher}
topic write tobo/#

pattern read tobo/{account}/+/%u/nudge
"""


def write_broker(folder: Path, state: Path, account: str, host: str, port: int) -> Path:
    """The configuration's path. A broker that has its certificate already keeps it.

    Started by root it becomes the user who has called, who alone may read the folder.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = device_authority(state)
    if not (folder / "broker.pem").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        issued = authority.issue(common_name("broker"), key.public_key(), SERVER, server_names(host))
        replace_file(folder / "broker.key", private_pem(key), 0o600)
        replace_file(folder / "broker.pem", pem(issued), 0o644)
    replace_file(folder / "authority.pem", pem(authority.certificate), 0o644)
    replace_file(folder / "acl", _ACL.format(publisher=PUBLISHER, account=account).encode(), 0o600)
    file = folder / "mosquitto.conf"
    replace_file(file, _CONFIGURATION.format(folder=folder, port=port, user=getpass.getuser()).encode(), 0o644)
    return file
