"""Spans leave for Zipkin and OTLP receivers where one is configured."""

import asyncio

import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from kourse.kit import telemetry
from kourse.kit.telemetry.tracing import SpanKind, configure_tracing, mark_failed, shutdown_tracing
from support.serving import serving


class Receiver:
    """Keeps what exporters send."""

    def __init__(self):
        self.bodies = []
        self.app = Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])

    async def _take(self, request):
        self.bodies.append((request.url.path, await request.body()))
        return Response(status_code=202)


@pytest.fixture
async def receiver():
    made = Receiver()
    async with serving(made.app) as made.url:
        yield made
    configure_tracing("test")


class TestExport:
    async def test_to_zipkin_keeps_parents_kinds_and_failures(self, receiver):
        configure_tracing("course", zipkin_endpoint=f"{receiver.url}/api/v2/spans")
        with telemetry.span("outer", kind=SpanKind.SERVER, attributes={"route": "/v1/x"}):
            with telemetry.span("inner", kind=SpanKind.CLIENT) as inner:
                mark_failed(inner, "503")
            trace = telemetry.traceparent()[3:35]
        await asyncio.to_thread(shutdown_tracing)

        ((path, body),) = receiver.bodies
        inner, outer = orjson.loads(body)
        assert path == "/api/v2/spans"
        assert {inner["traceId"], outer["traceId"]} == {trace}
        assert inner["parentId"] == outer["id"]
        assert (inner["kind"], outer["kind"]) == ("CLIENT", "SERVER")
        assert (inner["tags"]["error"], outer["tags"]["route"]) == ("503", "/v1/x")
        assert outer["localEndpoint"] == {"serviceName": "course"}
        assert outer["duration"] >= inner["duration"] > 0

    async def test_to_otlp_names_the_service(self, receiver):
        configure_tracing("course", otlp_endpoint=receiver.url)
        with telemetry.span("work"):
            pass
        await asyncio.to_thread(shutdown_tracing)

        ((path, body),) = receiver.bodies
        assert path == "/v1/traces"
        assert b"course" in body
        assert b"work" in body

    async def test_to_nobody_loses_spans_and_nothing_else(self):
        configure_tracing("course", zipkin_endpoint="http://127.0.0.1:1/api/v2/spans")
        with telemetry.span("work"):
            assert telemetry.traceparent()
        await asyncio.to_thread(shutdown_tracing)
        configure_tracing("test")
