"""Clients as their registries give them play the whole workflow: each step is a script that knows nothing of tobo."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.clients.user import CLIENTS, HERE, ROOT, missing, new_user, script_of
from tests.conftest import Server

pytestmark = pytest.mark.xdist_group("clients")

STEPS = (
    "train",
    "attach",
    "tune",
    "deploy",
    "transform",
    "sklearn",
    "pytorch",
    "asynchronous",
    "processing",
    "autoscale",
    "pipeline",
    "notebook",
    "algorithm",
)
"""`train` begins with the default bucket, the role and an upload; most others need its job."""


PLAYED = [(client, step) for step in STEPS for client in CLIENTS if script_of(client, step)]


@pytest.mark.parametrize(("client", "step"), PLAYED)
def test_step(client: str, step: str, played: Callable[[str, str], None]) -> None:
    if (reason := missing(client)) is not None:
        pytest.skip(reason)
    played(client, step)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_script_is_a_step(client: str) -> None:
    scripts = {file.stem for file in (HERE / "scripts" / client).iterdir()}
    assert scripts == {step for its, step in PLAYED if its == client}
    assert "train" in scripts


def test_the_page_says_what_is_played() -> None:
    """Rows of docs/clients.md: the step, then "yes" for each client that has its script; versions are those installed."""
    rows = [
        line.strip("|").split("|") for line in (ROOT / "docs" / "clients.md").read_text().splitlines() if "|" in line
    ]
    table = [[cell.strip() for cell in row] for row in rows if len(row) == 1 + len(CLIENTS)]
    head, played, counts = table[0], table[2:-1], table[-1]
    told = {
        (client, row[0].split(":")[0]) for row in played for client, cell in zip(CLIENTS, row[1:], strict=True) if cell
    }
    assert told == set(PLAYED)
    assert counts[1:] == [str(sum(client == its for its, _ in PLAYED)) for client in CLIENTS]
    for client, title in zip(CLIENTS, head[1:], strict=True):
        pinned = (HERE / "environments" / f"{client}.txt").read_text().splitlines()
        assert f"{client.split('-')[0]}=={title.split()[-1]}" in pinned


def test_who_asks_for_an_outside_address_is_found_out(client_server: Server, tmp_path: Path) -> None:
    """The guard itself: without it, a client that waits for the internet would only look slow."""
    client = next((client for client in CLIENTS if missing(client) is None), None)
    if client is None:
        pytest.skip(str(missing(CLIENTS[0])))
    user = new_user(client, client_server, tmp_path / "home")
    for number, (address, asking) in enumerate(
        [
            ("192.0.2.1", "import socket; socket.socket().connect(('192.0.2.1', 443))"),
            ("2001:db8::1", "import socket; socket.create_connection(('2001:db8::1', 443))"),
            (
                "sts.us-east-1.amazonaws.com",
                "import urllib.request as r; r.urlopen('https://sts.us-east-1.amazonaws.com/')",
            ),
        ]
    ):
        with pytest.raises(AssertionError, match=f"outside of this machine.*\n.*'{re.escape(address)}'"):
            user.run(["python", "-c", f"try:\n    {asking}\nexcept OSError:\n    pass"], f"asking-{number}")


TELEMETRY = """
from sagemaker.train import ModelTrainer

ModelTrainer(training_image="811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1").train(dry_run=True)
import time; time.sleep(1)  # a thread sends it
"""


def test_telemetry_is_off_by_what_configure_writes(client_server: Server, tmp_path: Path) -> None:
    if (reason := missing("sagemaker-3")) is not None:
        pytest.skip(reason)
    user = new_user("sagemaker-3", client_server, tmp_path / "home")
    user.run(["python", "-c", TELEMETRY], "silent")
    del user.environment["SAGEMAKER_USER_CONFIG_OVERRIDE"]
    with pytest.raises(AssertionError, match=r"outside of this machine.*\n.*amazonaws\.com"):
        user.run(["python", "-c", TELEMETRY], "talking")


def test_there_is_no_network() -> None:
    """`make test-clients` plays all of this where only the loopback interface is."""
    if "TOBO_OFFLINE" not in os.environ:
        pytest.skip("not under tools/offline")
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]
