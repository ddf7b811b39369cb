"""SQL statements as spans of the request or event that they serve.

Values never become part of a span: statements are recorded with their placeholders. Without an exporter
nothing listens, so statements cost no more than before.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from sqlalchemy import event
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from kourse.kit.telemetry.tracing import begin_span, is_exporting

LONGEST = 2000
"""Characters kept of a statement."""
_OPEN = "kourse.span"


def trace_statements(engine: AsyncEngine) -> None:
    """From now on every statement within a recorded trace is a span in it, where spans are exported."""
    if not is_exporting():
        return
    event.listen(engine.sync_engine, "before_cursor_execute", _begin)
    event.listen(engine.sync_engine, "after_cursor_execute", _end)
    event.listen(engine.sync_engine, "handle_error", _fail)


def _begin(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if not trace.get_current_span().is_recording():
        return
    text = " ".join(statement.split())
    name = text.partition(" ")[0].upper()
    facts = {"db.system.name": "postgresql", "db.query.text": text[:LONGEST]}
    connection.info[_OPEN] = begin_span(name, kind=SpanKind.CLIENT, attributes=facts)


def _end(connection: Connection, *_: Any) -> None:
    if span := connection.info.pop(_OPEN, None):
        span.end()


def _fail(context: ExceptionContext) -> None:
    if context.connection is None or not (span := context.connection.info.pop(_OPEN, None)):
        return
    span.set_status(Status(StatusCode.ERROR, type(context.original_exception).__name__))
    span.end()
