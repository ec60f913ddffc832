"""What is vendored is what it says to be."""

import hashlib
import json
import re
from importlib.resources import files

STATIC = files("tobo.console") / "static"


def test_vendored_files_are_those_of_their_packages() -> None:
    kept = json.loads((STATIC / "vendor" / "vendored.json").read_text())
    present = {entry.name for entry in (STATIC / "vendor").iterdir()} - {"vendored.json"}
    assert present == set(kept)
    for name, its in kept.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == its["sha256"], name
        assert its["version"]
        assert its["licence"] in ("0BSD", "MIT", "ISC")


def test_nothing_is_loaded_from_elsewhere() -> None:
    for folder in (files("tobo.console") / "templates", STATIC, STATIC / "elements"):
        for entry in folder.iterdir():
            if entry.name.endswith((".html", ".js", ".css")):
                found = re.findall(r"https?://[a-z0-9][a-z0-9.-]*", entry.read_text())
                assert set(found) <= {"http://www.w3.org"}, entry
