"""Tracing: requests and jobs as OpenTelemetry spans, sent with OTLP over HTTP to where OTEL_EXPORTER_OTLP_ENDPOINT leads.

An extra (`tobo[tracing]`): without that variable nothing is imported, and requests cost nothing more. Spans are sent by a thread of the
library's own, in batches; those that cannot be sent are lost, never the request.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

log = logging.getLogger("tobo.tracing")

VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_NANO = 1_000_000_000


class Tracing:
    """One server's tracer. `read_tracing` makes it."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("tobo")

    def request(
        self, name: str, began: float, ended: float, status: int, members: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        """A request that was answered; `began` and `ended` in epoch seconds. Its caller's traceparent is its parent."""
        from opentelemetry import propagate
        from opentelemetry.trace import SpanKind

        span = self._tracer.start_span(
            name,
            context=propagate.extract(headers) if "traceparent" in headers else None,
            kind=SpanKind.SERVER,
            attributes={**_told(members), "http.response.status_code": status},
            start_time=int(began * _NANO),
        )
        if status >= 500:
            span.set_status(_error())
        span.end(int(ended * _NANO))

    def job(
        self, name: str, steps: Iterable[tuple[str, float]], ended: float, members: Mapping[str, Any], failed: bool
    ) -> None:
        """A job that is over: `steps` are its states with the times (epoch seconds) that they began at, the oldest first."""
        from opentelemetry.trace import set_span_in_context

        times = list(steps)
        began = times[0][1] if times else ended
        whole = self._tracer.start_span(name, attributes=_told(members), start_time=int(began * _NANO))
        inside = set_span_in_context(whole)
        for (state, at), until in zip(times, [at for _, at in times[1:]] + [ended], strict=True):
            self._tracer.start_span(state, context=inside, start_time=int(at * _NANO)).end(int(max(at, until) * _NANO))
        if failed:
            whole.set_status(_error())
        whole.end(int(max(began, ended) * _NANO))

    def close(self) -> None:
        """Sends what waits."""
        self._provider.shutdown()


def read_tracing(environment: Mapping[str, str] = os.environ) -> Tracing | None:
    """None where no collector is named, or the packages are missing, which is logged."""
    if not any(environment.get(name) for name in VARIABLES):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log.warning("no traces are sent: %s is missing; pip install 'tobo[tracing]'", error.name)
        return None
    named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": "tobo"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


def _told(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _error() -> Any:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR)
