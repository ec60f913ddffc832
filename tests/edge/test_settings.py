"""agent.toml: what is read from it, and what is wrong with one."""

import dataclasses
from pathlib import Path

import pytest

from tobo.edge import settings
from tobo.edge.install import TEMPLATE
from tobo.edge.settings import BadSettings, Settings


def read(folder: Path, text: str) -> Settings:
    (folder / "agent.toml").write_text(text)
    return settings.read(folder)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert found == Settings(folder=tmp_path)
    assert found.enrolment == tmp_path / "enrolment" and found.rule({"ok": 0.7}).thresholds == {"ok": 0.7}


def test_the_template_is_valid(tmp_path: Path) -> None:
    found = read(tmp_path, TEMPLATE.format(state=tmp_path / "state"))
    assert (found.camera.kind, found.camera.size, found.trigger.pin) == ("picamera2", (640, 480), 17)
    assert (found.actuator.kind, found.actuator.ko_angle, found.state) == ("servo", -45.0, tmp_path / "state")
    commented = TEMPLATE.replace("# exposure_ms", "exposure_ms").replace("# gain", "gain").replace("# delay", "delay")
    commented = commented.replace("# source = 0 ", "source = 0 # ").replace("# belt_pin", "belt_pin")
    again = read(tmp_path, commented.format(state=tmp_path / "state"))
    assert (again.camera.exposure_ms, again.camera.gain, again.actuator.belt_pin) == (2.0, 4.0, 23)


def test_thresholds_outrank_the_models(tmp_path: Path) -> None:
    found = read(tmp_path, '[decision]\naccept = ["ok", "good"]\nbudget_ms = 50\nthresholds = { ok = 0.9 }')
    rule = found.rule({"ok": 0.7, "ko": 0.2})
    assert (rule.thresholds, rule.accept, rule.budget) == ({"ok": 0.9, "ko": 0.2}, ("ok", "good"), 0.05)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "is not TOML"),
        ("colour = 1", "'colour' in .*agent.toml is not known; there are folder, state"),
        ("[camera]\nfocus = 1", "'focus' in camera in .* is not known; there are kind, source"),
        ('[camera]\nkind = "phone"', "kind in camera in .* is 'phone'; it has to be one of picamera2, opencv"),
        ("[camera]\nsize = [640]", r"size in camera in .* is \[640\], which is not"),
        ('[camera]\nsize = ["a", "b"]', "size in camera"),
        ('[camera]\nkind = "rtsp"\nsource = 0', r"\[camera\] source in .* is no rtsp:// address"),
        ("[camera]\nsource = 1.5", "source in camera in .* is 1.5"),
        ("camera = 1", "camera in .* has to be a table"),
        ("[trigger]\npin = true", "pin in trigger in .* is True, which is not a whole number"),
        ("[trigger]\nseconds = 0", r"\[trigger\] seconds"),
        ("[trigger]\nactive_high = 1", "is 1, which is not true or false"),
        ("[keep]\nshare = 2", r"\[keep\] share = 2"),
        ("[decision]\naccept = []", "accept in .* is empty"),
        ("[decision.thresholds]\nok = 1.5", r"thresholds.ok = 1.5 in .* is not in 0 to 1"),
        ('[decision.thresholds]\nok = "high"', "ok of thresholds in decision"),
        ('[actuator]\nkind = "http"', r"\[actuator\] url"),
        ('[actuator]\nkind = "mqtt"\nhost = "x"', "host and topic"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadSettings, match=message):
        read(tmp_path, text)


def test_a_missing_file_says_who_writes_one(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="`tobo-edge install` writes one"):
        settings.read(tmp_path)


def test_every_setting_is_documented() -> None:
    said = (Path(__file__).parents[2] / "docs" / "edge.md").read_text()
    for section in dataclasses.fields(Settings):
        names = (
            [one.name for one in dataclasses.fields(section.default)]
            if dataclasses.is_dataclass(section.default)
            else []
        )
        for name in (section.name, *names):
            assert name == "folder" or f"`{name}`" in said or f"`[{name}]`" in said, f"{section.name}.{name}"
