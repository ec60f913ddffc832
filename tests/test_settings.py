"""Settings: what the environment says, what the command line says over it, and what cannot be read."""

import re
from pathlib import Path

import pytest

from tobo.kit.arn import Namespace
from tobo.resources.notebook_instances.sessions import address_of, host_pattern
from tobo.settings import PORT, Settings
from tobo.store.base import Key


def test_defaults_and_choices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.read({}) == Settings(tmp_path / ".tobo", port=PORT)
    environment = {"TOBO_STATE": "elsewhere", "TOBO_PORT": "1", "TOBO_WARM": "0", "TOBO_CPUS": "1.5"}
    assert Settings.read(environment) == Settings(tmp_path / "elsewhere", port=1, warm=False, cpus=1.5)
    assert Settings.read(environment, port=2, host=None, state=Path("/s")) == Settings(
        Path("/s"), port=2, warm=False, cpus=1.5
    )


def test_a_relative_state_folder_is_the_same_from_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Jobs run in folders of their own; a relative path of the server's would lead elsewhere there."""
    monkeypatch.chdir(tmp_path)
    assert Settings.read({}, state=Path("here")).state == tmp_path / "here"


def test_what_cannot_be_read_is_named() -> None:
    with pytest.raises(SystemExit, match="TOBO_PORT='http'"):
        Settings.read({"TOBO_PORT": "http"})


@pytest.mark.parametrize(
    "address",
    [
        "broker",
        "mqtt://broker",
        "http://broker:1883",
        "mqtts://:8883",
        "mqtt://broker:x",
        "embedded:x",
        "embedded:",
        "embedded:65536",
        "8883",
    ],
)
def test_a_brokers_address_that_is_none(address: str) -> None:
    assert Settings.read({"TOBO_MQTT": "mqtts://broker:8883"}).mqtt == "mqtts://broker:8883"
    with pytest.raises(SystemExit, match="TOBO_MQTT"):
        Settings.read({"TOBO_MQTT": address})


@pytest.mark.parametrize(
    ("text", "port"),
    [("embedded", 8883), ("embedded:1884", 1884), ("embedded:0", 0), ("mqtts://embedded:1884", None), ("", None)],
)
def test_the_embedded_brokers_port(text: str, port: int | None) -> None:
    assert Settings.read({"TOBO_MQTT": text}).broker_port == port


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("TOBO_NOTEBOOK_URL", "https://factory.lan"),
        ("TOBO_NOTEBOOK_URL", "https://{name}.factory.lan"),
        ("TOBO_NOTEBOOK_URL", "https://x{name}.{region}.factory.lan"),
        ("TOBO_NOTEBOOK_URL", "{name}.{region}.factory.lan"),
        ("TOBO_NOTEBOOK_URL", "https://{name}.{region}.factory.lan/lab"),
        ("TOBO_NOTEBOOK_URL", "https://{name}.{region}.{house}.lan"),
        ("TOBO_NOTEBOOK_IDLE_MINUTES", "0"),
        ("TOBO_NOTEBOOK_STOP_AT", "24:00"),
        ("TOBO_NOTEBOOK_STOP_AT", "8pm"),
    ],
)
def test_rules_of_notebooks_that_are_none(variable: str, text: str) -> None:
    """A notebook's address must be its own: a name and a region, each a label of the host."""
    with pytest.raises(SystemExit, match=variable):
        Settings.read({variable: text})


def test_addresses_of_notebooks(tmp_path: Path) -> None:
    key = Key(Namespace("111122223333", "eu-west-1"), "notebook-instance", "Lab")
    near = address_of(Settings(tmp_path, port=8626), key)
    assert (near.origin, near.base) == ("http://lab.notebook.eu-west-1.localhost:8626", "/notebook/Lab/")
    chosen = Settings.read({"TOBO_NOTEBOOK_URL": "https://{name}.nb.{region}.factory.lan:8443"}, state=tmp_path)
    far = address_of(chosen, key)
    assert (far.origin, far.host) == ("https://lab.nb.eu-west-1.factory.lan:8443", "lab.nb.eu-west-1.factory.lan:8443")
    assert re.fullmatch(host_pattern(chosen), far.hostname)
    for other in ("factory.lan", "lab.nb.factory.lan", "a.b.nb.eu-west-1.factory.lan", near.hostname):
        assert not re.fullmatch(host_pattern(chosen), other)
