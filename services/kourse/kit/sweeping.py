"""The loop of a sweeper: it looks again and again for what is due, and waits out an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from kourse.contracts.errors import Unavailable

log = structlog.get_logger(__name__)


async def repeat(sweep: Callable[[], Awaitable[object]], every_s: float) -> None:
    """Sweeps, then waits ``every_s`` seconds, until it is cancelled; an outage only ends the round."""
    while True:
        try:
            await sweep()
        except Unavailable as error:
            log.warning("sweep.interrupted", reason=error.detail)
        await asyncio.sleep(every_s)
