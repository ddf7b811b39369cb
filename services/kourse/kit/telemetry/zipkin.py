"""Spans to a Zipkin server in its v2 JSON form; OpenTelemetry has given up its own exporter."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

TIMEOUT_S = 5.0
_KINDS = {
    SpanKind.SERVER: "SERVER",
    SpanKind.CLIENT: "CLIENT",
    SpanKind.PRODUCER: "PRODUCER",
    SpanKind.CONSUMER: "CONSUMER",
}


class ZipkinExporter(SpanExporter):
    """Posts batches to ``endpoint``; a batch that cannot be sent is lost, as traces may be.

    Args:
        endpoint: ``http(s)://host:9411/api/v2/spans``.
        service: Name that Zipkin shows.
    """

    def __init__(self, endpoint: str, service: str) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError("the Zipkin endpoint must be an http or https address")
        self._endpoint = endpoint
        self._service = service

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Runs in the batch processor's own thread, so blocking is fine."""
        body = orjson.dumps([to_zipkin(span, self._service) for span in spans])
        request = urllib.request.Request(  # noqa: S310 -- the scheme was checked
            self._endpoint, data=body, headers={"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 -- likewise
                return SpanExportResult.SUCCESS
        except (OSError, urllib.error.URLError):
            return SpanExportResult.FAILURE


def to_zipkin(span: ReadableSpan, service: str) -> dict[str, Any]:
    """The span as Zipkin's v2 JSON; times are microseconds, as there."""
    context = span.get_span_context()
    start = span.start_time or 0
    tags = {name: str(value) for name, value in (span.attributes or {}).items()}
    if span.status.status_code is StatusCode.ERROR:
        tags["error"] = span.status.description or "true"
    return {
        "traceId": format_trace_id(context.trace_id) if context else "",
        "id": format_span_id(context.span_id) if context else "",
        **({"parentId": format_span_id(span.parent.span_id)} if span.parent else {}),
        **({"kind": _KINDS[span.kind]} if span.kind in _KINDS else {}),
        "name": span.name,
        "timestamp": start // 1000,
        "duration": max(1, ((span.end_time or start) - start) // 1000),
        "localEndpoint": {"serviceName": service},
        "tags": tags,
    }
