"""One id that joins everything done for one request: logs, problems, calls and events."""

from __future__ import annotations

import ipaddress
import os
import re
import time
from contextvars import ContextVar

from structlog.contextvars import bind_contextvars

HEADER = "x-request-id"
"""Name of the header in HTTP, gRPC metadata and AMQP."""

_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}\Z")
_current: ContextVar[str] = ContextVar("correlation", default="")
_address: ContextVar[str] = ContextVar("client_address", default="")


def correlation_id() -> str:
    """Id of the request or message in hand, or "" outside of any."""
    return _current.get()


def accept_correlation(offered: str | None) -> str:
    """Id for what begins now: the offered one if it is well formed, else a new one.

    Well formed is 8 to 64 letters, digits, dots, underscores and dashes, so that an id can neither
    forge log lines nor fill them. The id is bound to the current context and to its log lines.
    """
    accepted = offered if offered and _WELL_FORMED.match(offered) else new_correlation_id()
    _current.set(accepted)
    bind_contextvars(correlation=accepted)
    return accepted


def new_correlation_id() -> str:
    """26 characters that sort by time (48 bit of milliseconds) and do not collide (56 bit)."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(7).hex()}"


def client_address() -> str:
    """Network address of whoever asked for what is in hand, or "" where nobody did; for the audit trail."""
    return _address.get()


def accept_client_address(offered: str | None) -> None:
    """Whatever is done from now on was asked for from this address; what is none is not kept."""
    try:
        _address.set(str(ipaddress.ip_address((offered or "").strip())))
    except ValueError:
        _address.set("")


def bind(*, tenant: str | None = None, subject: str | None = None) -> None:
    """Add who is served to all further log lines of the current context."""
    known = {"tenant": tenant, "subject": subject}
    bind_contextvars(**{name: value for name, value in known.items() if value is not None})
