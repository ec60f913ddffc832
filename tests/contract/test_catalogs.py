"""What every catalogue promises (src/tobo/catalogs/base.py): a folder, a bucket of this server, a bucket elsewhere."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.support.unique import unique

from tobo.catalogs import Address, Catalog, CatalogError, Missing, open_catalog
from tobo.catalogs.base import pour
from tobo.kit.arn import Namespace
from tobo.kit.clock import SystemClock
from tobo.objects.folder import FolderObjects

SPACE = Namespace("111122223333", "us-east-1")


@pytest.fixture(params=["folder", "own", "own-prefix", "remote", "remote-prefix"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    kind, _, prefix = request.param.partition("-")
    if kind == "folder":
        (tmp_path / "place").mkdir()
        yield open_catalog(Address(str(tmp_path / "place")), None, SPACE, tmp_path)  # type: ignore[arg-type]
    elif kind == "own":
        objects = FolderObjects(tmp_path / "objects", SystemClock())
        objects.create_bucket(SPACE, "shop", {})
        yield open_catalog(Address(f"s3://shop/{prefix}".rstrip("/")), objects, SPACE, tmp_path / "temporary")
        objects.close()
    else:
        yield remote(request.getfixturevalue("server"), request.getfixturevalue("monkeypatch"), tmp_path, prefix)


def remote(server: Server, monkeypatch: pytest.MonkeyPatch, home: Path, prefix: str, profile: str = "shop") -> Catalog:
    bucket, secrets = unique("shop").lower(), home / "credentials"
    server.client("s3").create_bucket(Bucket=bucket)
    secrets.write_text(f"[shop]\naws_access_key_id={server.keys[0]}\naws_secret_access_key={server.keys[1]}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(secrets))
    address = Address(f"s3://{bucket}/{prefix}".rstrip("/"), server.endpoint, profile)
    return open_catalog(address, None, SPACE, home)  # type: ignore[arg-type]


def test_what_is_written_is_there_and_replaced_in_one_step(catalog: Catalog, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(3 << 20))
    before = large.read_bytes()
    catalog.write("offers/a/b/1.0/offer.json", b"first")
    catalog.write("offers/a/b/1.0/model.tar.gz", large)
    assert large.read_bytes() == before  # the caller's file stays
    catalog.write("offers/a/b/1.0/offer.json", b"second")
    catalog.write("requests/r.json", b"")
    assert list(catalog.names("offers/")) == ["offers/a/b/1.0/model.tar.gz", "offers/a/b/1.0/offer.json"]
    assert list(catalog.names("")) == [*catalog.names("offers/"), "requests/r.json"]
    assert list(catalog.names("nothing/")) == []
    assert catalog.read("offers/a/b/1.0/offer.json", 6) == b"second" and catalog.read("requests/r.json", 10) == b""
    catalog.fetch("offers/a/b/1.0/model.tar.gz", tmp_path / "fetched", 3 << 20)
    assert (tmp_path / "fetched").read_bytes() == before
    catalog.remove("offers/a/b/1.0/offer.json")
    catalog.remove("offers/a/b/1.0/offer.json")
    assert list(catalog.names("offers/")) == ["offers/a/b/1.0/model.tar.gz"]


def test_no_more_is_read_than_was_said(catalog: Catalog, tmp_path: Path) -> None:
    catalog.write("long", b"x" * 2001)
    with pytest.raises(CatalogError, match="longer than the 2000 bytes"):
        catalog.read("long", 2000)
    with pytest.raises(CatalogError, match="longer than the 2000 bytes"):
        catalog.fetch("long", tmp_path / "fetched", 2000)
    assert not (tmp_path / "fetched").exists()


def test_what_is_not_there(catalog: Catalog, tmp_path: Path) -> None:
    for call in (lambda: catalog.read("no/where", 10), lambda: catalog.fetch("no/where", tmp_path / "fetched", 10)):
        with pytest.raises(Missing, match=r"There is no .*no/where"):
            call()


@pytest.mark.parametrize("name", ["", "../outside", "a/../../outside", "/etc/passwd", "a//b", ".hidden", "a/.b", "a b"])
def test_names_that_are_none(catalog: Catalog, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: catalog.read(name, 10),
        lambda: catalog.write(name, b"x"),
        lambda: catalog.remove(name),
    ]
    for call in calls:
        with pytest.raises(CatalogError, match="no name of a catalogue's file"):
            call()


def test_a_place_that_is_gone(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "objects", SystemClock())
    for address in (Address(str(tmp_path / "gone")), Address("s3://gone/x")):
        catalog = open_catalog(address, objects, SPACE, tmp_path)
        with pytest.raises(CatalogError, match="gone"):
            list(catalog.names(""))
        with pytest.raises(CatalogError, match="gone"):
            catalog.write("a", b"x")
    objects.close()


def test_a_remote_place_that_does_not_answer_or_refuses(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deaf = open_catalog(Address("s3://shop", "http://127.0.0.1:9", ""), None, SPACE, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(CatalogError, match=r"s3://shop/ at http://127\.0\.0\.1:9 does not answer"):
        list(deaf.names(""))
    closed = remote(server, monkeypatch, tmp_path, "", profile="")
    with pytest.raises(CatalogError, match="refuses"):
        closed.read("a", 10)
    unknown = remote(server, monkeypatch, tmp_path, "", profile="nobody")
    with pytest.raises(CatalogError, match="nobody"):
        unknown.read("a", 10)


def test_links_in_a_folder_lead_nowhere(tmp_path: Path) -> None:
    place, outside = tmp_path / "place", tmp_path / "outside"
    place.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (place / "folder").symlink_to(outside)
    (place / "file").symlink_to(outside / "secret")
    os.mkfifo(place / "pipe")
    catalog = open_catalog(Address(str(place)), None, SPACE, tmp_path)  # type: ignore[arg-type]
    assert list(catalog.names("")) == []
    for name in ("folder/secret", "file", "pipe"):
        with pytest.raises(CatalogError, match="cannot be read"):
            catalog.read(name, 10)
    with pytest.raises(CatalogError, match="is a link"):
        catalog.write("folder/new", b"x")
    assert not (outside / "new").exists()


def test_pour_leaves_nothing_half(tmp_path: Path) -> None:
    with pytest.raises(CatalogError):
        pour(io.BytesIO(b"x" * 11), tmp_path / "out", 10, "it")
    assert list(tmp_path.iterdir()) == []
