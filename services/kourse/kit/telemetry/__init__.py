"""What a process tells of itself: JSON logs, traces and metrics that share their ids."""

from kourse.kit.telemetry.correlation import (
    HEADER as CORRELATION_HEADER,
)
from kourse.kit.telemetry.correlation import (
    accept_client_address,
    accept_correlation,
    bind,
    client_address,
    correlation_id,
    new_correlation_id,
)
from kourse.kit.telemetry.logs import configure_logs, get_logger
from kourse.kit.telemetry.tracing import (
    configure_tracing,
    extract,
    inject,
    shutdown_tracing,
    span,
    traceparent,
)

__all__ = [
    "CORRELATION_HEADER",
    "accept_client_address",
    "accept_correlation",
    "bind",
    "client_address",
    "configure_logs",
    "configure_tracing",
    "correlation_id",
    "extract",
    "get_logger",
    "inject",
    "new_correlation_id",
    "shutdown_tracing",
    "span",
    "traceparent",
]
