"""The documentation is true: its Python runs, its links lead somewhere, its drawn pages are what the code says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.support.jobs import CLASSES, photo

pytestmark = pytest.mark.xdist_group("training")
ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs(
    page: Path, warm_server: Server, fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    """A region has one workforce: a page that makes one has a server of its own."""
    text = "\n".join(blocks(page, "python"))
    server = fresh_server(TOBO_WARM="1") if "create_workteam" in text else warm_server
    for number in range(60):
        file = tmp_path / "photos" / CLASSES[number % 2] / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo(number))
    (tmp_path / "page.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.keys[0],
        "AWS_SECRET_ACCESS_KEY": server.keys[1],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    ran = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_drawn_pages_are_what_the_code_says() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import draw_docs
    finally:
        sys.path.remove(str(ROOT / "tools"))
    for name, draw in draw_docs.PAGES.items():
        assert (ROOT / "docs" / name).read_text() == draw(), f"docs/{name} is old: make docs"


def test_the_commands_that_pages_name_exist() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    targets = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets and targets <= made, targets - made
    commands = set(re.findall(r"`tobo ([a-z]+)", text))
    for command in commands:
        helped = subprocess.run([sys.executable, "-m", "tobo", command, "--help"], capture_output=True)
        assert helped.returncode == 0, command


def test_every_setting_is_documented() -> None:
    said = (ROOT / "docs" / "server.md").read_text()
    for name in re.findall(r'"(TOBO_[A-Z_]+)"', (ROOT / "src" / "tobo" / "settings.py").read_text()):
        assert name in said, name
