"""Traces: W3C trace context and B3 (Zipkin) through HTTP, gRPC and AMQP.

Ids are made and passed on always, so that logs of different processes can be joined; spans are
recorded and exported only where an exporter is configured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kourse.kit.telemetry.correlation import HEADER, correlation_id

_w3c = TraceContextTextMapPropagator()
_b3_out = B3SingleFormat()
_b3_in = B3MultiFormat()
_provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
_tracer = _provider.get_tracer("kourse")


def configure_tracing(service: str, *, otlp_endpoint: str = "", zipkin_endpoint: str = "") -> None:
    """Export spans to the configured endpoints; with none, only ids are made.

    Args:
        service: Name that the spans carry.
        otlp_endpoint: Base address of an OTLP receiver over HTTP, or "".
        zipkin_endpoint: Address of a Zipkin v2 receiver, or "".
    """
    global _provider, _tracer  # noqa: PLW0603 -- one tracer per process
    exporting = bool(otlp_endpoint or zipkin_endpoint)
    _provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(1.0)) if exporting else ALWAYS_OFF,
        resource=Resource.create({"service.name": service, "service.namespace": "kourse"}),
        shutdown_on_exit=False,
    )
    if otlp_endpoint:
        _export_to_otlp(_provider, otlp_endpoint)
    if zipkin_endpoint:
        _export_to_zipkin(_provider, zipkin_endpoint, service)
    _tracer = _provider.get_tracer("kourse")
    trace.set_tracer_provider(_provider)
    set_global_textmap(CompositePropagator([_b3_in, _w3c]))


def shutdown_tracing() -> None:
    """Send what is still queued; nothing is exported afterwards. Blocks for seconds at most."""
    _provider.shutdown()


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Iterator[Span]:
    """A span around the block, current in it; an exception marks it and passes on.

    Args:
        name: Low-cardinality name: a route's template, a method, an event type.
        kind: SERVER, CLIENT, PRODUCER, CONSUMER or INTERNAL.
        parent: Context from ``extract``; by default the current one.
        attributes: Further facts, never personal and never secret.
    """
    with _tracer.start_as_current_span(
        name, context=parent, kind=kind, attributes=attributes, record_exception=False
    ) as current:
        yield current


def begin_span(
    name: str,
    *,
    kind: SpanKind,
    parent: Context | None = None,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Span:
    """A span that is not made current; whoever began it ends it."""
    return _tracer.start_span(name, context=parent, kind=kind, attributes=attributes)


def is_exporting() -> bool:
    """Whether spans are recorded and sent to anybody."""
    return _provider.sampler is not ALWAYS_OFF


def mark_failed(current: Span, reason: str) -> None:
    """Mark a span as failed, for failures that are answered rather than raised."""
    current.set_status(Status(StatusCode.ERROR, reason))


def inject(headers: MutableMapping[str, str]) -> None:
    """Add ``traceparent``, ``tracestate``, ``b3`` and the correlation id to outgoing headers."""
    _w3c.inject(headers)
    _b3_out.inject(headers)
    if current := correlation_id():
        headers[HEADER] = current


def extract(headers: Mapping[str, object]) -> Context:
    """Trace context of incoming headers (lower-case names): W3C first, else B3, else a new trace."""
    carrier = {name: _text(value) for name, value in headers.items() if name in _TRACE_HEADERS}
    if "traceparent" in carrier:
        return _w3c.extract(carrier, context=Context())
    if carrier:
        return _b3_in.extract(carrier, context=Context())
    return Context()


def traceparent() -> str | None:
    """W3C ``traceparent`` of the current span, to be stored beside work that is done later."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get("traceparent")


_TRACE_HEADERS = frozenset(
    {"traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"}
)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _export_to_otlp(provider: TracerProvider, endpoint: str) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))


def _export_to_zipkin(provider: TracerProvider, endpoint: str, service: str) -> None:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from kourse.kit.telemetry.zipkin import ZipkinExporter

    provider.add_span_processor(BatchSpanProcessor(ZipkinExporter(endpoint, service)))


__all__ = [
    "SpanKind",
    "begin_span",
    "configure_tracing",
    "extract",
    "inject",
    "is_exporting",
    "mark_failed",
    "shutdown_tracing",
    "span",
    "trace",
    "traceparent",
]
