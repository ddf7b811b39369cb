"""Logs: one JSON object per line on standard output, joined to traces, free of secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, BinaryIO

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, FilteringBoundLogger

HIDDEN = "[hidden]"
_SECRET_NAME = re.compile(
    r"authorization|passw|token|secret|cookie|credential|private_?key|(^|_)code$|^otp$",
    re.IGNORECASE,
)
_HARMLESS_NAMES = frozenset({"status_code", "error_code", "exit_code", "grpc_code", "problem_code"})
_SECRET_TEXT = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|(?P<user>://[^/\s:@]*):[^/\s@]+@"
    r"|(?P<query>[?&](?:X-Amz-Signature|X-Amz-Credential|token|code)=)[^&\s\"']+",
    re.IGNORECASE,
)
_NOISY = ("aio_pika", "aiormq", "asyncio", "uvicorn.error", "grpc", "urllib3", "httpx2")


def configure_logs(service: str, level: str = "INFO", stream: BinaryIO | None = None) -> None:
    """Send all logs, those of libraries too, as JSON lines to ``stream`` (standard output)."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _Named(service),
            add_trace_ids,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Bridge()]
    root.setLevel(number)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def get_logger(name: str) -> FilteringBoundLogger:
    """Logger whose lines carry ``source: name``; call it with an event and keyword fields."""
    logger: FilteringBoundLogger = structlog.get_logger(source=name)
    return logger


def add_trace_ids(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The line with the ids of the current span, where there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The line without secrets: neither under telling names nor inside of texts."""
    _hide(event)
    return event


def without_secrets(text: str) -> str:
    """The text with bearer tokens, JWTs, passwords in addresses and signatures of links hidden."""
    return _SECRET_TEXT.sub(_hide_match, text)


def _hide(fields: MutableMapping[str, Any]) -> None:
    for name, value in fields.items():
        if _SECRET_NAME.search(name) and name not in _HARMLESS_NAMES:
            fields[name] = HIDDEN
        else:
            fields[name] = _hidden_inside(value)


def _hidden_inside(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        inner = {str(name): item for name, item in value.items()}
        _hide(inner)
        return inner
    if isinstance(value, list | tuple):
        return [_hidden_inside(item) for item in value]
    return value


def _hide_match(match: re.Match[str]) -> str:
    if match["user"]:
        return f"{match['user']}:{HIDDEN}@"
    return f"{match['scheme'] or match['query'] or ''}{HIDDEN}"


def _to_json(event: EventDict, **_: Any) -> bytes:
    return orjson.dumps(event, default=lambda value: without_secrets(repr(value)))


class _Named:
    """Processor that says which service speaks."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        return event


class _Bridge(logging.Handler):
    """Passes records of the standard library's logging through the same processors."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: dict[str, Any] = {"source": record.name}
            if record.exc_info:
                fields["exc_info"] = record.exc_info
            structlog.get_logger().log(record.levelno, "%s", record.getMessage(), **fields)
        except Exception:  # noqa: BLE001 -- logging must never break what it reports
            self.handleError(record)
