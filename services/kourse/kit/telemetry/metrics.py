"""Metrics that every service has: rate, errors and duration of its calls, and what runs.

Names start with ``kourse_``, units are base units, and labels are bounded: a route is its template,
never its address.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import Counter, Gauge, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for the time of calls."""

HTTP_REQUESTS = Counter(
    "kourse_http_requests_total",
    "HTTP requests answered.",
    ("service", "method", "route", "status"),
)
HTTP_DURATION = Histogram(
    "kourse_http_request_duration_seconds",
    "Time from a request's head to the last byte of its answer.",
    ("service", "method", "route", "status"),
    buckets=BUCKETS_S,
)
HTTP_IN_FLIGHT = Gauge(
    "kourse_http_requests_in_flight", "HTTP requests being answered.", ("service",)
)
RPC_SERVED = Counter(
    "kourse_rpc_requests_total", "gRPC calls answered.", ("service", "method", "code")
)
RPC_DURATION = Histogram(
    "kourse_rpc_request_duration_seconds",
    "Time to answer a gRPC call.",
    ("service", "method"),
    buckets=BUCKETS_S,
)
RPC_CALLS = Counter(
    "kourse_rpc_client_calls_total", "gRPC calls made to siblings.", ("peer", "method", "code")
)
RPC_CALL_DURATION = Histogram(
    "kourse_rpc_client_call_duration_seconds",
    "Time that gRPC calls to siblings took.",
    ("peer", "method"),
    buckets=BUCKETS_S,
)
COMPONENT_UP = Gauge(
    "kourse_component_up",
    "Whether a back end or background task of the service works (1) or not (0).",
    ("service", "component"),
)
TASK_RESTARTS = Counter(
    "kourse_task_restarts_total", "Background tasks begun anew after a crash.", ("service", "task")
)
AUDIT_DENIALS = Counter(
    "kourse_audit_denials_total",
    "Denials noted for the audit trail, and those of them that it will never hold singly.",
    ("service", "became"),
)
AUDIT_BROKEN = Gauge(
    "kourse_audit_broken_trails",
    "Audit trails that are not what was sealed, as found last night; 0 where all is well.",
)
_BUILD = Gauge(
    "kourse_build_info", "What is running; always 1.", ("service", "version", "revision")
)


@cache
def build_info() -> dict[str, str]:
    """Version of the installed distribution and the revision it was built from."""
    try:
        number = version("kourse")
    except PackageNotFoundError:
        number = "0+source"
    return {"version": number, "revision": os.environ.get("KOURSE_REVISION", "unknown")}


def announce_build(service: str) -> None:
    """Make ``kourse_build_info`` carry this service's version."""
    build = build_info()
    _BUILD.labels(service, build["version"], build["revision"]).set(1)
