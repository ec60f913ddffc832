"""Bundles: what a device accepts, and each thing that it must refuse."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tobo.edge.bundle import BadBundle, Manifest, digest_of, list_files, pack, seal, verify

KEY, ACCOUNT, TARGET = Ed25519PrivateKey.generate(), "111122223333", "rasp4b"


def sealed(folder: Path, key: Ed25519PrivateKey = KEY) -> Path:
    (folder / "golden").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"graph" * 100)
    (folder / "golden" / "scores.json").write_text("{}")
    seal(folder, Manifest("marbles", "1.0", 7, ACCOUNT, TARGET, 1.5, list_files(folder)), key)
    return folder


def test_a_sealed_bundle_is_verified_and_named_by_its_content(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "bundle")
    manifest = verify(folder, [Ed25519PrivateKey.generate().public_key(), KEY.public_key()], ACCOUNT, TARGET)
    assert (manifest.name, manifest.version, manifest.sequence) == ("marbles", "1.0", 7)
    assert manifest.files.keys() == {"model.onnx", "golden/scores.json"}
    assert digest_of((folder / "manifest.json").read_bytes()) == digest_of(manifest.to_bytes())


def test_packing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = sealed(tmp_path / "one"), sealed(tmp_path / "two")
    pack(one, tmp_path / "1.tar.gz")
    pack(two, tmp_path / "2.tar.gz")
    # gzip's header has a time stamp: what is inside counts
    with tarfile.open(tmp_path / "1.tar.gz") as first, tarfile.open(tmp_path / "2.tar.gz") as second:
        assert [(m.name, m.mtime, m.mode, m.size) for m in first] == [(m.name, m.mtime, m.mode, m.size) for m in second]


def change(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes().replace(b"g", b"G"))


@pytest.mark.parametrize(
    ("tamper", "account", "target", "message"),
    [
        (change("model.onnx"), ACCOUNT, TARGET, "'model.onnx' of the bundle is changed"),
        (lambda folder: (folder / "model.onnx").unlink(), ACCOUNT, TARGET, "'model.onnx' of the bundle is missing"),
        (lambda folder: (folder / "more").write_text("x"), ACCOUNT, TARGET, "holds 'more', which its manifest"),
        (change("manifest.json"), ACCOUNT, TARGET, "by none of the keys"),
        (lambda folder: (folder / "manifest.sig").unlink(), ACCOUNT, TARGET, "is not signed"),
        (lambda folder: (folder / "manifest.sig").write_bytes(b""), ACCOUNT, TARGET, "by none of the keys"),
        (lambda folder: None, "999999999999", TARGET, f"belongs to account {ACCOUNT}, this device to 999999999999"),
        (lambda folder: None, ACCOUNT, "jetson_nano", "compiled for 'rasp4b', this device is a 'jetson_nano'"),
    ],
)
def test_refused(tmp_path: Path, tamper: Callable[[Path], None], account: str, target: str, message: str) -> None:
    folder = sealed(tmp_path / "bundle")
    tamper(folder)
    with pytest.raises(BadBundle, match=message):
        verify(folder, [KEY.public_key()], account, target)


def test_another_key_is_refused(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "bundle", Ed25519PrivateKey.generate())
    with pytest.raises(BadBundle, match="by none of the keys"):
        verify(folder, [KEY.public_key()], ACCOUNT, TARGET)
