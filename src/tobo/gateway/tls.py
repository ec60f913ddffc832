"""The TLS port's files. The SageMaker SDKs speak to STS by https whatever the endpoint variables say: it is for them."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TlsFiles:
    """What <state>/tls holds: the authority's and the server's certificate, the server's key (0600), the port."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def settings(self) -> Path:
        return self.folder / "port.json"

    def port(self) -> int | None:
        """The port that was configured; None where `tobo configure` has never run."""
        try:
            return int(json.loads(self.settings.read_bytes())["port"])
        except FileNotFoundError:
            return None


def tls_files(state: Path) -> TlsFiles:
    return TlsFiles(state / "tls")
