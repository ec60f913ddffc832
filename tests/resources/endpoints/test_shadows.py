"""Shadow variants through boto3: they see what production was asked, and the caller sees nothing of them."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import (
    asker,
    load,
    make_config,
    make_endpoint,
    make_named_model,
    named_variant,
    sagemaker_of,
    settled,
)
from tests.support.processes import running, until


def make_shadowed(server: Server, name: str, record: Path, weight: float = 1.0, **environment: str) -> dict[str, Any]:
    """An endpoint whose model is called as it is, with a shadow that records what it is asked."""
    make_named_model(server, name)
    shadow = make_named_model(server, f"{name}-shadow", RECORD=str(record), **environment)
    shadows = [named_variant(shadow, "shadow", weight=weight)]
    return make_endpoint(server, name, named_variant(name, "real"), ShadowProductionVariants=shadows)


def lines(record: Path) -> list[str]:
    return record.read_text().splitlines() if record.exists() else []


def test_a_shadow_gets_copies_and_nobody_gets_its_answers(server: Server, tmp_path: Path) -> None:
    described = make_shadowed(server, "shadowed", tmp_path / "record")
    [shadow] = described["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"], shadow["CurrentWeight"]) == ("shadow", 1, 1.0)
    assert [variant["VariantName"] for variant in described["ProductionVariants"]] == ["real"]
    ask = asker(server, "shadowed")
    sent: list[str] = []
    for number in range(10):
        sent.append(f"body-{number}")
        assert ask(sent[-1]) == "shadowed"
        until(lambda: lines(tmp_path / "record") == sent)
    with pytest.raises(ClientError, match="Variant shadow of endpoint shadowed was not found; it has real"):
        ask("x", TargetVariant="shadow")


def test_a_part_of_the_requests_is_copied(server: Server, tmp_path: Path) -> None:
    make_shadowed(server, "sampled-shadow", tmp_path / "record", weight=0.5)
    ask = asker(server, "sampled-shadow")
    sent = 0
    while sent < 200 or (len(lines(tmp_path / "record")) <= 20 and sent < 5000):  # a busy machine leaves copies out
        ask(str(sent))
        sent += 1
    assert 20 < len(lines(tmp_path / "record")) < 0.75 * sent  # half expected; seven standard deviations


def test_a_slow_shadow_delays_nobody(server: Server, tmp_path: Path) -> None:
    make_shadowed(server, "unhurried", tmp_path / "record", PAUSE="0.3")
    ask = asker(server, "unhurried")
    for number in range(100):
        assert ask(str(number)) == "unhurried"
    assert len(lines(tmp_path / "record")) < 100, "production has waited for its shadow"
    until(lambda: len(lines(tmp_path / "record")) >= 8)


def test_a_dying_shadow_fails_nobody(server: Server, tmp_path: Path) -> None:
    make_shadowed(server, "unmoved", tmp_path / "record")
    with load(server, "unmoved", clients=2) as seen:
        first = running(server.state, "/shadow/")
        [pid] = [pid for name, pid in first.items() if "/unmoved/" in name]
        os.kill(pid, signal.SIGKILL)
        until(lambda: any("/unmoved/" in name and name not in first for name in running(server.state, "/shadow/")))
        written = len(lines(tmp_path / "record"))
        until(lambda: len(lines(tmp_path / "record")) > written)
    assert set(seen) == {"unmoved"}


def test_an_update_ends_the_shadow(server: Server, tmp_path: Path) -> None:
    make_shadowed(server, "daylight", tmp_path / "record")
    make_config(server, "daylight-2", named_variant("daylight", "real"))
    sagemaker_of(server).update_endpoint(EndpointName="daylight", EndpointConfigName="daylight-2")
    assert "ShadowProductionVariants" not in settled(server, "daylight")
    assert asker(server, "daylight")("noon") == "daylight"
    assert len(running(server.state, "/daylight/")) == 1 and lines(tmp_path / "record") == []
