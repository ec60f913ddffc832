"""Proof in a child: what it says is what a proof in this process says, and its death is a refusal."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.compiled_model import bundle, public_pem

from tobo.edge import prove
from tobo.edge.bundle import BadBundle, list_files, read_manifest, seal
from tobo.edge.prove import InChild

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def child(*keys: Ed25519PrivateKey, account: str = "111122223333") -> InChild:
    return InChild(lambda: "\n".join(public_pem(key) for key in keys), account, "rasp4b")


def test_a_whole_version_is_proved(tmp_path: Path) -> None:
    bundle(tmp_path / "v", KEY, 4)
    manifest = child(OTHER, KEY)(tmp_path / "v", probe=True)
    assert (manifest.sequence, manifest.name) == (4, "marbles")
    assert manifest == read_manifest((tmp_path / "v" / "manifest.json").read_bytes())


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    bundle(tmp_path / "v", KEY, 4)
    with pytest.raises(BadBundle, match="by none of the keys"):
        child(OTHER)(tmp_path / "v")
    with pytest.raises(BadBundle, match="by none of the keys"):
        child()(tmp_path / "v")
    with pytest.raises(BadBundle, match="belongs to account"):
        child(KEY, account="999999999999")(tmp_path / "v")
    with pytest.raises(BadBundle, match="key that cannot be read"):
        InChild(lambda: "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", "1", "2")(tmp_path / "v")


def test_a_probe_that_fails_is_a_refusal(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    bundle(folder, KEY, 4)
    manifest = read_manifest((folder / "manifest.json").read_bytes())
    (folder / "golden" / "scores.json").write_text('{"0.png": [1.0, 0.0]}')
    seal(folder, type(manifest)(**{**manifest.__dict__, "files": list_files(folder)}), KEY)
    assert child(KEY)(folder).sequence == 4
    with pytest.raises(BadBundle, match=r"golden picture '0\.png' got scores that differ"):
        child(KEY)(folder, probe=True)


def test_a_child_that_dies_or_hangs_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path / "v", KEY, 4)
    program = tmp_path / "python"
    monkeypatch.setattr("sys.executable", str(program))
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    with pytest.raises(BadBundle, match="The process that proved the version ended with -11"):
        child(KEY)(tmp_path / "v")
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    monkeypatch.setattr(prove, "TIMEOUT", 0.2)
    with pytest.raises(BadBundle, match="could not be proved within"):
        child(KEY)(tmp_path / "v")
