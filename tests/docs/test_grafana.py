"""The Grafana dashboard asks for metrics that the server has: its queries against GET /metrics and Prometheus' own rules."""

import json
import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import Server
from tests.support.fleets import Fleet
from tests.support.jobs import training_job
from tests.support.named import asker, make_endpoint, make_named_model, named_variant
from tests.support.processes import until
from tests.support.unique import unique

DASHBOARD: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "grafana" / "tobo.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def told(server: Server) -> dict[str, set[str]]:
    """Samples of a server with an endpoint that was invoked and a device that has told: name -> its labels."""
    name = unique("watched")
    make_endpoint(server, name, named_variant(make_named_model(server, name)))
    asker(server, name)("a")
    server.client("sagemaker").create_training_job(**training_job(name, "no-such-bucket"))
    fleet = Fleet(server)
    fleet.register("cam-1")
    metrics = [("Decisions", 5.0, None), ("Rejects", 1.0, None), ("Latency", 2.0, "p50")]
    now = datetime.now(UTC)
    fleet.beat(
        "cam-1",
        AgentMetrics=[
            {"MetricName": metric, "Value": value, "Timestamp": now} | ({"Dimension": of} if of else {})
            for metric, value, of in metrics
        ],
        Models=[{"ModelName": "marbles", "ModelVersion": "1"}],
    )

    def samples() -> dict[str, set[str]]:
        with urllib.request.urlopen(f"{server.endpoint}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return {s.name: set(s.labels) for f in text_string_to_metric_families(text) for s in f.samples}

    until(lambda: "tobo_endpoint_invocations_total" in samples(), 60)
    return samples()


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_there_is(query: str, told: dict[str, set[str]]) -> None:
    names = set(re.findall(r"\b(?:tobo|process)_[a-z0-9_]+", query))
    assert names and names <= told.keys(), names - told.keys()
    labels = told[next(iter(names))] | {"job"}
    for group in re.findall(r"by \(([^)]*)\)", query):
        assert {label.strip() for label in group.split(",")} <= labels
    for selector in re.findall(r"\{([^}]*)\}", query):
        assert set(re.findall(r"(\w+)=~?\"", selector)) <= labels


def test_panels_lie_beside_each_other() -> None:
    taken = set[tuple[int, int]]()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
