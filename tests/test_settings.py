"""Settings: what the environment says, what the command line says over it, and what cannot be read."""

from pathlib import Path

import pytest

from tobo.settings import PORT, Settings


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
