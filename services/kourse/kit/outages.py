"""Tells a back end that is down from a mistake of ours, for answers that invite to try again."""

from __future__ import annotations

import asyncio
import sys

from kourse.contracts.errors import Unavailable

RETRY_AFTER_S = 2.0
_OUTAGES = {
    "redis.exceptions": ("ConnectionError", "TimeoutError", "BusyLoadingError"),
    "sqlalchemy.exc": ("OperationalError", "InterfaceError", "TimeoutError"),
    "psycopg": ("OperationalError", "InterfaceError"),
    "aiormq.exceptions": ("AMQPConnectionError", "ChannelInvalidStateError"),
    "aio_pika.exceptions": ("AMQPConnectionError",),
    "aiohttp": ("ClientConnectionError",),
}
"""Exceptions that mean "not there now", by module; a module nobody imported cannot have raised."""


def outage_of(error: BaseException) -> Unavailable | None:
    """The failure to show when the exception comes from a back end that is down, else None."""
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, TimeoutError | ConnectionError | asyncio.TimeoutError) or _is_known(error):
        return Unavailable(retry_after_s=RETRY_AFTER_S)
    return None


def _is_known(error: BaseException) -> bool:
    for module, names in _OUTAGES.items():
        loaded = sys.modules.get(module)
        types = tuple(getattr(loaded, name) for name in names if hasattr(loaded, name))
        if types and isinstance(error, types):
            return True
    return False
