"""Which catalogue an address means."""

from dataclasses import dataclass
from pathlib import Path

from tobo.catalogs.base import Catalog
from tobo.catalogs.folder import FolderCatalog
from tobo.catalogs.own import OwnCatalog
from tobo.kit.arn import Namespace
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import Objects


@dataclass(frozen=True)
class Address:
    """`place` is an absolute folder or s3://bucket/prefix: of this server, or of the S3 at `endpoint`, which the keys of
    `profile` in ~/.aws open."""

    place: str
    endpoint: str = ""
    profile: str = ""

    def __str__(self) -> str:
        return f"{self.place} at {self.endpoint}" if self.endpoint else self.place


def open_catalog(address: Address, objects: Objects, space: Namespace, temporary: Path) -> Catalog:
    """Opens nothing yet: whether it is there shows when it is read."""
    if not address.place.startswith("s3://"):
        return FolderCatalog(Path(address.place))
    place = parse_s3_uri(address.place, "the catalogue's address")
    if not address.endpoint:
        return OwnCatalog(objects, space, place, temporary)
    from tobo.catalogs.remote import RemoteCatalog  # botocore's session and its client: for who has one elsewhere

    return RemoteCatalog(place, address.endpoint, address.profile)
