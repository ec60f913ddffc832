#!/usr/bin/env python3
"""Fetches what the console vendors from npm, at the versions below, and writes where each file came from and its hash.

Run it after changing a version: `tools/vendor_web.py`. A test holds the files to vendored.json.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree

VENDOR = Path(__file__).parents[1] / "src" / "tobo" / "console" / "static" / "vendor"

PACKAGES = {
    "htmx.org": ("2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js"}),
    "idiomorph": ("0.8.0", "0BSD", {"dist/idiomorph.min.js": "idiomorph.min.js"}),
    "uplot": (
        "1.6.32",
        "MIT",
        {"dist/uPlot.iife.min.js": "uPlot.min.js", "dist/uPlot.min.css": "uPlot.min.css"},
    ),
}
"""name -> (version, licence, file in the package -> file here)."""

LUCIDE = "1.62.0"
ICONS = tuple(
    """
    activity arrow-down arrow-up badge-check bell box boxes camera chart-line chart-scatter check chevron-down
    chevron-left chevron-right circle-alert circle-check circle-play circle-stop clipboard-list clock code coins
    copy cpu download external-link eye file file-text flask-conical folder gauge graduation-cap hard-drive house
    image images info key-round layers list-filter lock log-out menu microchip moon package pause pencil play plus
    radio-tower refresh-cw rocket rotate-ccw router scroll-text search send server settings shield-check
    sliders-horizontal sparkles square-stack store sun sun-moon tag target terminal trash-2 triangle-alert upload
    user users wand-sparkles x
    """.split()  # noqa: SIM905
)


def main() -> None:
    """Everything anew."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    kept: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for package, (version, licence, wanted) in PACKAGES.items():
            folder = _unpacked(package, version, Path(temporary))
            for source, name in wanted.items():
                data = (folder / source).read_bytes().replace(b"\n//# sourceMappingURL=", b"\n// map: ")
                _keep(kept, name, data, package, version, licence)
            _keep(kept, f"{package}.LICENSE", (folder / "LICENSE").read_bytes(), package, version, licence)
        folder = _unpacked("lucide-static", LUCIDE, Path(temporary))
        _keep(kept, "icons.svg", _sprite(folder / "icons"), "lucide-static", LUCIDE, "ISC")
        _keep(kept, "lucide.LICENSE", (folder / "LICENSE").read_bytes(), "lucide-static", LUCIDE, "ISC")
    (VENDOR / "vendored.json").write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")


def _unpacked(package: str, version: str, folder: Path) -> Path:
    packed = subprocess.run(
        ["npm", "pack", f"{package}@{version}", "--silent"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()
    at = folder / package.replace("/", "-")
    with tarfile.open(folder / packed.splitlines()[-1]) as archive:
        archive.extractall(at, filter="data")
    return at / "package"


def _sprite(icons: Path) -> bytes:
    """One file of symbols, `icons.svg#house`, each drawn with lines of the text's colour."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    space = "{http://www.w3.org/2000/svg}"
    sprite = ElementTree.Element(f"{space}svg")
    for name in sorted(ICONS):
        drawn = ElementTree.parse(icons / f"{name}.svg").getroot()
        symbol = ElementTree.SubElement(sprite, f"{space}symbol", {"id": name, "viewBox": "0 0 24 24"})
        for part in drawn:
            part.tail = None
            symbol.append(part)
        symbol.tail = "\n"
    return ElementTree.tostring(sprite) + b"\n"


def _keep(kept: dict[str, dict[str, str]], name: str, data: bytes, package: str, version: str, licence: str) -> None:
    (VENDOR / name).write_bytes(data)
    kept[name] = {
        "package": package,
        "version": version,
        "licence": licence,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


if __name__ == "__main__":
    main()
