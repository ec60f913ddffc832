"""The server's figures for Prometheus: GET /metrics in the text exposition format of `prometheus-client`."""

import hmac
import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from tobo.gateway.authentication import Head
from tobo.operations.context import Context
from tobo.operations.edge import DEVICE
from tobo.store.base import Query, Row, Store, every_row
from tobo.telemetry.base import Total
from tobo.wire.response import Response

PATH = "/metrics"

_IN_CAPITALS = ("compilation-job", "edge-packaging-job")
"""Kinds whose statuses AWS writes so."""
_JOBS = ("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job", *_IN_CAPITALS)
_DEVICES, _ENDPOINTS = "/aws/sagemaker/Devices", "AWS/SageMaker"
_PAGE = 1000
_PLACE = ("account", "region")


def asks_for_metrics(head: Head) -> bool:
    """A signed GET of the same path is S3's, of a bucket that is called metrics."""
    said = head.headers.get("authorization", "")
    return head.path == PATH and head.method == "GET" and not head.query and (not said or said.startswith("Bearer "))


def refusal_of(token: str | None, authorization: str, peer: str) -> str | None:
    """The sentence for who may not see names: with a token whoever lacks it, without one whoever is not on this machine."""
    if token is not None:
        given = authorization.removeprefix("Bearer ").encode("latin-1")
        return None if hmac.compare_digest(given, token.encode()) else "The token is not that of TOBO_METRICS_TOKEN."
    try:
        near = ipaddress.ip_address(peer).is_loopback
    except ValueError:
        near = False
    return None if near else "Metrics are for this machine alone; set TOBO_METRICS_TOKEN and send it as a Bearer token."


def answer_metrics(context: Context, authorization: str, peer: str, counts: Mapping[tuple[str, int], int]) -> Response:
    """`counts` are the requests answered, by (service, status). Blocks: for a worker thread."""
    if (refused := refusal_of(context.settings.metrics_token, authorization, peer)) is not None:
        return _plain(403, f"{refused}\n".encode(), "text/plain; charset=utf-8")
    # what a server that nobody watches can do without
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_House(context, counts))
    return _plain(200, generate_latest(registry), CONTENT_TYPE_LATEST)


def _plain(status: int, body: bytes, kind: str) -> Response:
    return Response(status, [("content-type", kind), ("content-length", str(len(body)))], body)


class _House:
    """A collector of prometheus_client: one pass over the devices, the jobs that run and what metrics came in."""

    def __init__(self, context: Context, counts: Mapping[tuple[str, int], int]) -> None:
        self._context, self._counts = context, counts

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily

        requests = CounterMetricFamily("tobo_requests", "Requests answered.", labels=("service", "status"))
        for (service, status), count in dict(self._counts).items():
            requests.add_metric((service, str(status)), count)
        yield requests
        yield running(self._context.store)
        yield from self._devices()
        yield from told(self._context.metrics.totals((_DEVICES, _ENDPOINTS)))

    def _devices(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        labels, now = (*_PLACE, "fleet", "device"), self._context.clock.now()
        age = GaugeMetricFamily("tobo_device_heartbeat_age_seconds", "Since the device was heard of.", labels=labels)
        model = GaugeMetricFamily("tobo_device_model_info", "What it sorts with.", labels=(*labels, "name", "version"))
        for row in self._rows():
            at = (*row.key.space, *row.key.name.split("/", 1))
            if (heard := row.found.get("LatestHeartbeat")) is not None:
                age.add_metric(at, max(0.0, now - heard))
            for one in row.found.get("Models") or ():
                model.add_metric((*at, one["ModelName"], one["ModelVersion"]), 1)
        yield age
        yield model

    def _rows(self) -> Iterator[Row]:
        store = self._context.store
        for space in store.spaces(DEVICE):
            yield from every_row(store, Query(space, DEVICE, members=("LatestHeartbeat", "Models"), limit=_PAGE))


def running(store: Store) -> Any:
    """Of each kind the jobs under way."""
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily("tobo_jobs_running", "Jobs under way.", labels=(*_PLACE, "kind"))
    for kind in _JOBS:
        statuses = ("STARTING", "INPROGRESS") if kind in _IN_CAPITALS else ("InProgress",)
        for space in store.spaces(kind):
            family.add_metric((*space, kind), sum(store.count(Query(space, kind, status=one)) for one in statuses))
    return family


def told(totals: list[Total]) -> Iterator[Any]:
    """Counters since the server's start, which Prometheus takes as such; a device's latency as it was told last."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

    device, variant = (*_PLACE, "fleet", "device"), (*_PLACE, "endpoint", "variant")
    counters = {
        (_DEVICES, "Decisions"): CounterMetricFamily("tobo_device_decisions", "Parts decided on.", labels=device),
        (_DEVICES, "Rejects"): CounterMetricFamily("tobo_device_rejects", "Parts sent to ko.", labels=device),
        (_ENDPOINTS, "Invocations"): CounterMetricFamily("tobo_endpoint_invocations", "Invocations.", labels=variant),
        (_ENDPOINTS, "Invocation5XXErrors"): CounterMetricFamily(
            "tobo_endpoint_5xx_errors", "Invocations that failed.", labels=variant
        ),
    }
    quantile = GaugeMetricFamily("tobo_device_latency_seconds", "As last told.", labels=(*device, "quantile"))
    latency = SummaryMetricFamily("tobo_endpoint_model_latency_seconds", "The model's time.", labels=variant)
    for total in totals:
        series, tells = total.series, total.series.dimensions
        first, second = ("DeviceFleetName", "DeviceName") if series.namespace == _DEVICES else _ENDPOINT
        if first not in tells or second not in tells:
            continue
        labels = (*total.space, tells[first], tells[second])
        if (family := counters.get(series[:2])) is not None:
            family.add_metric(labels, total.sum)
        elif series[:2] == (_DEVICES, "Latency") and tells.get("Dimension") in _QUANTILES:
            quantile.add_metric((*labels, _QUANTILES[tells["Dimension"]]), total.last / 1000)
        elif series[:2] == (_ENDPOINTS, "ModelLatency"):
            latency.add_metric(labels, count_value=int(total.observations), sum_value=total.sum / 1e6)
    yield from (*counters.values(), quantile, latency)


_ENDPOINT = "EndpointName", "VariantName"
_QUANTILES = {"p50": "0.5", "p99": "0.99"}
